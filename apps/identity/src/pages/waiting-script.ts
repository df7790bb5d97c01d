export const scriptPath = "/waiting.js";

/**
 * Asks whether there is a decision, which the server answers as soon as there is, and goes on. After an answer that
 * cannot be read it looks at the page itself, which says what is wrong.
 */
export const waitingScript = `"use strict";
(() => {
  const place = document.getElementById("waiting");
  const time = document.querySelector("time");
  time.textContent = new Date(time.dateTime).toLocaleString([], { timeStyle: "short", dateStyle: "medium" });
  // Whoever cancels is on the way to the client, and the end of the wait must not lead them elsewhere.
  let leaves = false;
  document.addEventListener("submit", () => (leaves = true));
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const isDecided = async () => {
    const response = await fetch(place.dataset.ask, { headers: { accept: "application/json" } });
    if (response.status >= 500 || response.status === 429) throw new Error();
    return !response.ok || (await response.json()).decided;
  };
  const follow = async () => {
    for (;;) {
      try {
        if (await isDecided()) break;
        await pause(500);
      } catch {
        await pause(3000);
      }
    }
    if (leaves) return;
    place.textContent = "It is decided. One moment.";
    location.replace(place.dataset.next);
  };
  follow();
})();
`;
