// Puts the cursor into the search box when the page opens, once.
const done = new WeakSet();

export default function ({ parentElement }) {
  const box = document.querySelector(".st-key-search_query input");
  if (!box || done.has(parentElement)) return;
  done.add(parentElement);
  box.focus();
}
