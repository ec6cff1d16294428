// Hands the facts of the moment (ui/model_list.py) to the list box of model_selector.js.
const hubs = (globalThis[Symbol.for("switchboard.models")] ??= new Map());

export default function ({ data }) {
  // Sent every few seconds, mostly unchanged: a list that somebody reads is left alone.
  if (hubs.get("facts")?.text === data) return;
  const hub = { ...hubs.get("facts"), text: data, facts: JSON.parse(data) };
  hubs.set("facts", hub);
  hub.box?.takeFacts();
}
