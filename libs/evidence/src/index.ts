export { CanonicalizationRefused, CheckpointRefused, LeafTooLarge, OutsideTree } from "./errors.js";
export type { CheckpointErrorCode } from "./errors.js";
export { canonicalJson } from "./canonical-json.js";
export {
  leafBytesMax,
  leafHashHex,
  leafOf,
  verifyPayloads,
  withheldPayloads,
  withoutCiphertext,
} from "./leaf.js";
export { emptyRoot, leafHash, nodeHash, sha256Hex, ZERO_HASH } from "./hashes.js";
export { nextChainState, recorderOf } from "./recorder-chain.js";
export type { ChainGap, ChainState, ChainStep } from "./recorder-chain.js";
export { Frontier } from "./frontier.js";
export type { FrontierState, TreeNode } from "./frontier.js";
export { consistencyProof, inclusionProof } from "./proofs.js";
export type { GetNode } from "./proofs.js";
export { verifyConsistency, verifyInclusion } from "./verify-proofs.js";
export type { ConsistencyClaim, InclusionClaim } from "./verify-proofs.js";
export { openCheckpoint, signCheckpoint } from "./checkpoint.js";
export type { Checkpoint, CheckpointToSign } from "./checkpoint.js";
export { loadCheckpointKey, verifierKeyOf } from "./checkpoint-key.js";
export { bundleLineBytesMax } from "./bundle.js";
export type { BundleEnd, BundleHeader, BundleLine } from "./bundle.js";
export { bundleLines } from "./bundle-lines.js";
export { writeBundle } from "./write-bundle.js";
export type { BundleExport, BundleRecord } from "./write-bundle.js";
export { verifyBundle } from "./verify-bundle.js";
export type { BundleProblem, BundleReport } from "./verify-bundle.js";
