import { definitionOn, type OcsfEvent, type RecordView, type TopicName } from "@countersign/contracts";
import { withoutTexts } from "./without-texts.js";

/** https://schema.ocsf.io/1.8.0 */
export const classes = {
  dataSecurityFinding: { class_uid: 2006, category_uid: 2 },
  authentication: { class_uid: 3002, category_uid: 3 },
  authorizeSession: { class_uid: 3003, category_uid: 3 },
  applicationLifecycle: { class_uid: 6002, category_uid: 6 },
  apiActivity: { class_uid: 6003, category_uid: 6 },
} as const;

export const severities = { informational: 1, low: 2, medium: 3, high: 4 } as const;
export const statuses = { success: 1, failure: 2 } as const;
/** Every class has it for what it has no word for; then `activity_name` says it. */
export const otherActivity = 99;

export interface Described {
  readonly class: (typeof classes)[keyof typeof classes];
  readonly activity: number;
  /** Needed where the activity is `otherActivity`. */
  readonly activityName?: string;
  readonly severity?: keyof typeof severities;
  readonly status?: keyof typeof statuses;
  readonly statusDetail?: string | undefined;
  readonly sessionId?: string | undefined;
  /** What the class has besides. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

const productVersion = "0.1.0";
const product = { name: "Countersign", vendor_name: "Countersign", version: productVersion };

/** Puts a record into the frame that all OCSF classes share. What has no place of its own goes to `unmapped`. */
export function frame(record: RecordView, described: Described): OcsfEvent {
  const { class: ocsfClass, activity, activityName, severity = "informational", status } = described;
  const { statusDetail, sessionId, attributes } = described;
  return {
    ...ocsfClass,
    activity_id: activity,
    ...(activityName === undefined ? {} : { activity_name: activityName }),
    type_uid: ocsfClass.class_uid * 100 + activity,
    severity_id: severities[severity],
    ...(status === undefined ? {} : { status_id: statuses[status] }),
    ...(statusDetail === undefined ? {} : { status_detail: statusDetail }),
    time: Date.parse(record.time),
    message: definitionOn(record.topic as TopicName, record.type)?.summary ?? record.type,
    metadata: {
      version: "1.8.0",
      product,
      uid: record.id,
      sequence: record.logIndex,
      event_code: record.type,
      log_name: record.topic,
      ...(sessionId === undefined ? {} : { correlation_uid: sessionId }),
    },
    ...attributes,
    unmapped: { leaf_hash: record.leafHash, source: record.source, data: withoutTexts(record.data) },
  };
}
