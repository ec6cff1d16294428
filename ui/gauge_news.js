// Hands figures to the line of gauge.js once an answer has ended: the run that draws an answer has drawn the line before.
export default function ({ data }) {
  globalThis[Symbol.for("switchboard.gauge")]?.take(data);
}
