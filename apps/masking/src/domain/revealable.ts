import { JsonRefused, scanJson, type ScanOptions, scanText } from "@countersign/card-data";

/**
 * An original as it may be shown. Sensitive authentication data was removed before it was sealed; what the proxy of that
 * day could not see as such is removed here, by the detectors and the policy of now (PCI DSS 3.3.1).
 */
export function revealable(text: string, options: ScanOptions): string {
  try {
    return scanJson(text, options).withoutSad;
  } catch (error) {
    if (error instanceof JsonRefused) return scanText(text, options).withoutSad;
    throw error;
  }
}
