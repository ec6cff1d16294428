// The keys that no widget of Streamlit listens to, the sheet that names them all, and where the focus goes (keyboard.py).
const SETTLE_MS = 3000;
const FIELD = "input, textarea, select, [contenteditable='true']";
// A tooltip is open wherever the mouse rests: it does not count.
const OPEN =
  "[role='dialog'], dialog[open], :popover-open, [data-baseweb='popover']:not(:has([role='tooltip']))";
const PLACES = ["new_chat", "start_over", "conversations", "begin_temporary", "leave_temporary"];
const CHAT_PLACES = PLACES.map((place) => `.st-key-${place} button`).join(", ");

const composer = () => document.querySelector('[data-testid="stChatInputTextArea"]');
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
// A field that takes the focus on a phone brings up its keyboard over half of the page.
const hasKeys = () => !matchMedia("(pointer: coarse)").matches;

const make = (tag, text = "") => Object.assign(document.createElement(tag), { textContent: text });

function keys(combination) {
  const cell = make("dd");
  for (const [number, key] of combination.split("+").entries()) {
    if (number) cell.append("\u2009");
    cell.append(make("kbd", key === "Mod" ? (isMac ? "⌘" : "Ctrl") : key));
  }
  return cell;
}

function fill(sheet, groups) {
  const body = sheet.querySelector(".groups");
  body.replaceChildren(
    ...groups.map(({ title, keys: rows }) => {
      const part = make("section");
      const list = make("dl");
      for (const [what, combination] of rows) list.append(make("dt", what), keys(combination));
      part.append(make("h3", title), list);
      return part;
    }),
  );
}

const popover = () => document.querySelector("[aria-haspopup='dialog'][aria-expanded='true']");

function toComposer() {
  const box = composer();
  box?.focus();
  return Boolean(box);
}

// The page is drawn again after a click: the box may be a new one a moment later, and the old one gone.
function leadToComposer() {
  const until = performance.now() + SETTLE_MS;
  const stopped = new AbortController();
  for (const event of ["pointerdown", "keydown"]) {
    addEventListener(event, () => stopped.abort(), { once: true, capture: true, signal: stopped.signal });
  }
  const look = () => {
    if (stopped.signal.aborted || performance.now() > until) return;
    const at = document.activeElement;
    const free = !at || at === document.body || at === composer() || at.closest("button");
    if (free && !document.querySelector("[role='dialog']") && at !== composer()) toComposer();
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

// Which message's branches are meant: of the row that has the focus, else of the lowest one that can be seen.
function forkedRow() {
  const own = document.activeElement?.closest?.(".message-actions.forked");
  if (own) return own;
  const rows = [...document.querySelectorAll(".message-actions.forked")];
  const seen = rows.filter((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  return seen.at(-1) ?? rows.at(-1);
}

function stepBranch(act) {
  const step = forkedRow()?.querySelector(`[data-act="${act}"]:enabled`);
  step?.click();
  return Boolean(step);
}

function stop() {
  const button = document.querySelector(".st-key-stop button, .st-key-stop_all button");
  button?.click();
  return Boolean(button);
}

function wanted(event, help, sheet) {
  const { key, shiftKey, altKey } = event;
  const mod = event.ctrlKey || event.metaKey;
  const origin = event.composedPath()[0];
  const field = origin?.matches?.(FIELD) ? origin : null;
  if (mod && !altKey && key === "/") return help;
  // What is open has the keys first; the sheet is in a tree of its own, where no selector of the page looks.
  if (sheet.open || document.querySelector(OPEN)) return null;
  if (key === "Escape" && !mod && !altKey && shiftKey) return toComposer;
  // In any other field Esc belongs to the field.
  if (key === "Escape" && !mod && !altKey) return !field || field === composer() ? stop : null;
  if (mod && shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) {
    // With these keys one marks words: not where there is something to mark.
    return field?.value ? null : () => stepBranch(key === "ArrowLeft" ? "previous" : "next");
  }
  if (key === "?" && !mod && !altKey && !field) return help;
  return null;
}

function listen(help, sheet, signal) {
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || event.isComposing) return;
      if (wanted(event, help, sheet)?.() === true) event.preventDefault();
    },
    { signal },
  );
  document.addEventListener(
    "click",
    ({ target }) => hasKeys() && target.closest?.(`${CHAT_PLACES}, [role='dialog'] button`) && leadToComposer(),
    { signal },
  );
  document.addEventListener(
    "keydown",
    // A popover gives the focus back to the button that opened it.
    ({ key }) => {
      const closes = key === "Escape" && hasKeys() && document.querySelector("[role='dialog']");
      if (closes && !popover()) setTimeout(leadToComposer);
    },
    { capture: true, signal },
  );
}

export default function ({ parentElement, data }) {
  const sheet = parentElement.querySelector("dialog");
  const opener = parentElement.querySelector(".open");
  fill(sheet, data);
  const help = () => {
    if (sheet.open) sheet.close();
    else sheet.showModal();
    return true;
  };
  const listening = new AbortController();
  const { signal } = listening;
  opener.addEventListener("click", help, { signal });
  sheet.querySelector(".close").addEventListener("click", () => sheet.close(), { signal });
  // A click beside the sheet falls on the dialog itself.
  sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close(), { signal });
  sheet.addEventListener("close", () => hasKeys() && toComposer(), { signal });
  listen(help, sheet, signal);
  return () => listening.abort();
}
