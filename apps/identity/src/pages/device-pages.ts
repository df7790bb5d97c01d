import { html, type Markup } from "./html.js";
import { type Page, page } from "./page.js";

/** Asks for the code that a machine shows. */
export const deviceCodePage = (form: Markup, wasWrong: boolean): Page =>
  page({
    title: "Connect a device",
    status: wasWrong ? 400 : 200,
    isWrong: wasWrong,
    content: html`<p id="hint">Enter the code that the device shows.</p>
      ${wasWrong && html`<p class="problem" role="alert">This code is not right, or not valid any more. Start again on the device for a new one.</p>`}
      ${form}
      <button class="primary" type="submit" form="op.deviceInputForm">Go on</button>`,
  });

/** Asks whether it is really the person's own machine; codes are sent to people by those who want their access. */
export const deviceConfirmPage = (asking: {
  readonly form: Markup;
  readonly clientName: string;
  readonly userCode: string;
  readonly from: string | undefined;
}): Page =>
  page({
    title: "Is this your device?",
    content: html`<dl>
        <dt>Application</dt>
        <dd>${asking.clientName}</dd>
        <dt>Code</dt>
        <dd>${asking.userCode}</dd>
        <dt>Asked from</dt>
        <dd>${asking.from ?? "an unknown address"}</dd>
      </dl>
      <p>
        Go on only if a device in front of you shows this code now. If somebody sent you the code, stop here:
        they would get your access.
      </p>
      ${asking.form}
      <button class="primary" type="submit" form="op.deviceConfirmForm">It is my device</button>
      <button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Stop</button>`,
  });

export const deviceDonePage = (clientName: string): Page =>
  page({
    title: "The device is connected",
    content: html`<p role="status">${clientName} goes on by itself. You can close this page.</p>`,
  });
