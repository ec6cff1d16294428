// A slash alone in the message box opens the prompts. After a moment only: whoever writes on after it ("/etc/hosts") means
// the slash itself, and a dialog would take their keys away.
const WAIT_MS = 350;
const LISTENING = Symbol.for("switchboard.prompt-slash");

function typed(event) {
  const box = event.target;
  if (box?.dataset?.testid !== "stChatInputTextArea" || box.value !== "/" || event.data !== "/") return;
  setTimeout(() => {
    if (box.value === "/" && document.activeElement === box) {
      document.querySelector(".st-key-open_prompts button")?.click();
    }
  }, WAIT_MS);
}

// Once for the tab: a run that draws the page again between the slash and the dialog changes nothing.
export default function () {
  if (globalThis[LISTENING]) return;
  globalThis[LISTENING] = true;
  document.addEventListener("input", typed);
}
