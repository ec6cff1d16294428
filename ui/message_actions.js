// The actions under the messages of a conversation (ui/message_actions.py): copy, edit, answer again, branches, thumbs,
// delete. Loaded once per page; every message's own component is a line of script that hands itself over to `draw`.
const hub = (globalThis[Symbol.for("switchboard.messages")] ??= { waiting: new Map() });
const COPIED_MS = 1500;
const KEEP_PLACE_MS = 4000;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const icon = (name) => make("span", { class: "icon", "aria-hidden": "true" }, name);

function button(name, label, act, options = {}) {
  return make("button", { type: "button", title: label, "aria-label": label, "data-act": act, ...options }, icon(name));
}

// Without a secure connection a browser offers no clipboard but the old way: select, then copy.
function copyBySelecting(text) {
  const focused = document.activeElement;
  const area = make("textarea", { "aria-hidden": "true", style: "position:fixed;top:0;opacity:0" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus?.();
  return done;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text);
  }
}

async function copyAndSay(row, pressed) {
  const done = await copy(row.data.text);
  pressed.firstChild.textContent = done ? "check" : "error";
  row.said.textContent = done ? "Copied" : "Copying failed. Select the text and copy it.";
  setTimeout(() => {
    pressed.firstChild.textContent = "content_copy";
    row.said.textContent = "";
  }, COPIED_MS);
}

function place(menu, opener) {
  const at = opener.getBoundingClientRect();
  const own = menu.getBoundingClientRect();
  const under = at.bottom + own.height + 8 < innerHeight;
  menu.style.top = `${under ? at.bottom + 4 : Math.max(4, at.top - own.height - 4)}px`;
  menu.style.left = `${Math.max(4, Math.min(at.left, innerWidth - own.width - 4))}px`;
}

function againMenu(data) {
  const items = [["again", `With ${data.model} again`], ["chosen", "With the chosen model"], ["with", "With another model or parameters"], ["three", "Try with three models"]];
  const menu = make("div", { popover: "auto", role: "menu", "aria-label": "Answer again" });
  for (const [act, label] of items) {
    menu.append(make("button", { type: "button", role: "menuitem", "data-act": act }, label));
  }
  const opener = button("refresh", "Answer again", "menu", { "aria-haspopup": "menu", "aria-expanded": "false" });
  opener.append(icon("arrow_drop_down"));
  menu.addEventListener("toggle", (event) => {
    opener.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState !== "open") return;
    place(menu, opener);
    menu.firstChild.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...menu.children];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  return [opener, menu];
}

function branches(data) {
  if (!(data.of > 1)) return [];
  const what = data.role === "user" ? "version" : "answer";
  const steps = make(
    "span",
    { class: "branches", role: "group", "aria-label": `${what} ${data.at} of ${data.of}` },
    button("chevron_left", `Previous ${what}`, "previous", { disabled: data.at === 1 }),
    make("span", { class: "count" }, `${data.at}/${data.of}`),
    button("chevron_right", `Next ${what}`, "next", { disabled: data.at === data.of }),
  );
  return [steps];
}

function thumbs(data) {
  const thumb = (name, label, value) =>
    button(name, label, value > 0 ? "good" : "bad", { "aria-pressed": String(data.rating === value) });
  return [thumb("thumb_up", "Good answer", 1), thumb("thumb_down", "Bad answer", -1)];
}

// The answer of a column (ui/compare_columns.py): what it offers comes with it, as [icon, label, act, words].
function offered(data) {
  return data.offers.map(([name, label, act, words]) => {
    const item = button(name, label, act);
    if (words) item.append(make("span", { class: "words" }, words));
    return item;
  });
}

function fill(row) {
  const { data } = row;
  if (data.offers) {
    row.said = make("span", { class: "said", role: "status" });
    const steps = branches(data);
    return void row.replaceChildren(button("content_copy", "Copy answer", "copy"), ...steps, ...offered(data), row.said);
  }
  const own = data.role === "user";
  const remove = button("delete", `Delete this ${own ? "message" : "answer"} and what follows it`, "delete");
  row.said = make("span", { class: "said", role: "status" });
  row.replaceChildren(
    button("content_copy", own ? "Copy message" : "Copy answer", "copy"),
    make(
      "span",
      { class: "changes" },
      ...(own ? [button("edit", "Edit and send again", "edit")] : againMenu(data)),
      ...branches(data),
      ...(own ? [] : thumbs(data)),
      remove,
    ),
    row.said,
  );
  row.classList.toggle("own", own);
  row.classList.toggle("forked", data.of > 1);
}

function press(row, event) {
  const pressed = event.target.closest("button");
  const act = pressed?.dataset.act;
  if (!act) return;
  const menu = row.querySelector("[popover]");
  if (act === "menu") return void menu.togglePopover();
  if (pressed.closest("[popover]")) menu.hidePopover();
  if (act === "copy") return void copyAndSay(row, pressed);
  // The message beside it has actions of its own: the focus goes on there, so that a key steps on and on.
  hub.focus = row.data[act] ? { id: row.data[act], act } : null;
  row.send(act);
}

function takeFocus(row) {
  if (hub.focus?.id !== row.data.id) return;
  const wanted = row.querySelector(`[data-act="${hub.focus.act}"]`);
  (wanted?.disabled ? row.querySelector(".branches button:enabled") : wanted)?.focus({ preventScroll: true });
  hub.focus = null;
}

hub.draw = ({ data, parentElement, setTriggerValue }) => {
  let row = parentElement.querySelector(".message-actions");
  if (!row) {
    row = make("div", { class: "message-actions", role: "toolbar" });
    row.addEventListener("click", (event) => press(row, event));
    parentElement.append(row);
  }
  row.send = (act) => setTriggerValue("act", act);
  if (row.text === JSON.stringify(data)) return;
  row.text = JSON.stringify(data);
  row.data = data;
  row.dataset.message = data.id;
  row.setAttribute("aria-label", data.role === "user" ? "Actions for this message" : "Actions for this answer");
  fill(row);
  takeFocus(row);
};

function scrollerOf(element) {
  for (let box = element.parentElement; box; box = box.parentElement) {
    if (box.scrollHeight > box.clientHeight && /auto|scroll/.test(getComputedStyle(box).overflowY)) return box;
  }
  return document.scrollingElement;
}

// Earlier messages come above those on show: what one was reading stays where it is, until one scrolls.
function keepPlace() {
  const first = document.querySelector(".message-actions[data-message]");
  if (!first) return;
  const { message } = first.dataset;
  const { top } = first.getBoundingClientRect();
  const stopped = new AbortController();
  const hold = () => {
    const now = document.querySelector(`.message-actions[data-message="${CSS.escape(message)}"]`);
    const moved = now ? now.getBoundingClientRect().top - top : 0;
    if (Math.abs(moved) > 1) scrollerOf(now).scrollBy({ top: moved, behavior: "instant" });
  };
  const watch = new MutationObserver(hold);
  watch.observe(first.closest("main, [data-testid='stApp']"), { childList: true, subtree: true, characterData: true });
  stopped.signal.addEventListener("abort", () => watch.disconnect());
  for (const event of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    addEventListener(event, () => stopped.abort(), { once: true, passive: true, signal: stopped.signal });
  }
  setTimeout(() => stopped.abort(), KEEP_PLACE_MS);
}

hub.listening ??= document.addEventListener(
  "click",
  (event) => event.target.closest?.(".st-key-earlier button") && keepPlace(),
  { capture: true },
) ?? true;

export default function () {
  for (const component of hub.waiting.values()) hub.draw(component);
  hub.waiting.clear();
}
