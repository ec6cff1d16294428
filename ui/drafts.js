// Keeps what stands in the composer (ui/drafts.py) in this tab's own storage: Streamlit knows it only once it is sent,
// and throws it away when another page is shown or this one is loaded again.
const LOOK_EVERY_MS = 300;
const SENT_MS = 50;
const END_MS = 500;
const PREFIX = "switchboard draft ";
// A browser keeps about five million characters for a site; beyond this, other drafts would find no room.
const KEPT = 2_000_000;

const composer = () => document.querySelector(".st-key-composer textarea");

// The box belongs to React: it believes a value only when it comes as typing does.
function type(box, text) {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function read(scope) {
  return sessionStorage.getItem(PREFIX + scope) ?? "";
}

function keep(scope, text) {
  try {
    if (text && text.length <= KEPT) return void sessionStorage.setItem(PREFIX + scope, text);
  } catch {
    // No room: what was kept there is older than what stands in the box.
  }
  sessionStorage.removeItem(PREFIX + scope);
}

class Keeper {
  constructor(data) {
    this.scope = data.scope;
    this.box = null;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.listening = new AbortController();
    const { signal } = this.listening;
    // The box may go with the next click: what is typed is kept at once, what is sent is let go soon.
    document.addEventListener("input", (event) => event.target === this.box && this.look(), { signal });
    document.addEventListener("keydown", (event) => event.key === "Enter" && setTimeout(() => this.look(), SENT_MS), {
      signal,
    });
    this.look();
  }

  // A box that was not there before is empty because it is new, and one that was there because it was emptied.
  look() {
    const box = composer();
    if (!box) return;
    if (box !== this.box) {
      this.box = box;
      const kept = read(this.scope);
      if (kept && !box.value) type(box, kept);
    }
    if (box.value !== read(this.scope)) keep(this.scope, box.value);
  }

  move({ scope, from }) {
    if (scope === this.scope) return;
    this.look();
    // What was typed since the message that began this conversation goes with it.
    if (from === this.scope) keep(scope, read(from));
    const left = this.scope;
    this.scope = scope;
    if (from === left) keep(left, "");
    else if (this.box) type(this.box, read(scope));
  }

  stop() {
    clearInterval(this.timer);
    this.listening.abort();
  }
}

let keeper = null;
let ending = 0;

export default function ({ data }) {
  clearTimeout(ending);
  // What is to stand in the box takes the place of what was kept there.
  if (data.text) keep(data.scope, data.text);
  if (keeper) keeper.move(data);
  else keeper = new Keeper(data);
  // Not at once: a component that is only drawn anew is the same keeper.
  return () => {
    ending = setTimeout(() => {
      keeper?.stop();
      keeper = null;
    }, END_MS);
  };
}
