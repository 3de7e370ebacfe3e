// Number formatting.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const ONE = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

function whole(value) {
  return WHOLE.format(value);
}

function oneDecimal(value) {
  return ONE.format(value);
}

function decimals(value, places) {
  if (value === null) return "–";
  return value
    .toFixed(places)
    .replace(/^-(0\.?0*)$/, "$1")
    .replace("-", "−");
}

/** A share as a percentage, with an extra digit for small values. */
function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.01) return "<0.01%";
  const places = value === 0 ? 0 : value < 1 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(places)}%`;
}

/** The two ends of an interval, in the given format. */
function between(low, high, format = percent) {
  const [first, last] = [format(low), format(high)];
  return first.endsWith("%") && last.endsWith("%") ? `${first.slice(0, -1)}–${last}` : `${first}–${last}`;
}

/** The interval of a share, or an empty string if unknown. */
function intervalOf({ low, high }) {
  return low === null ? "" : between(low, high);
}

/** "1 document", "3 documents". */
function counted(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A probability: a percentage, or scientific notation below 0.1%. */
function probability(value) {
  return value >= 0.001
    ? percent(value)
    : value
        .toExponential(1)
        .replace("e-", " × 10⁻")
        .replace(/⁻(\d+)$/, (_, d) => "⁻" + [...d].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join(""));
}
