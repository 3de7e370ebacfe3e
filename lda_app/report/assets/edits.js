// The analyst's labels: topic names, merges and hidden topics. They start from the model's labels.json, are kept by
// the store, and can be downloaded as labels.json.

const TOPICS = REPORT.topics;
const LISTENERS = new Set();
const NAME_WORDS = 3;
const LONGEST_LABEL = 200;

const AS_TRAINED = { label: null, hidden: false, merged_into: null };

/** The labels that came with the model. */
function givenLabels() {
  return TOPICS.map(({ label = null, hidden = false, merged_into = null }) => ({
    label,
    hidden,
    merged_into,
  }));
}

let known = givenLabels(); // labels saved with the model
let labels = keptLabels() ?? givenLabels();

function keptLabels() {
  const kept = STORE.keptLabels();
  return kept?.length === TOPICS.length ? kept : null;
}

function edit(topic, change) {
  Object.assign(labels[topic], change);
  keepLabels();
}

function keepLabels() {
  STORE.keepLabels();
  tellListeners();
}

function tellListeners() {
  for (const listener of LISTENERS) listener();
}

/** Whether any edits are not yet saved with the model. */
function isEdited() {
  return JSON.stringify(labels) !== JSON.stringify(known);
}

/** Record that these labels are now saved with the model. */
function modelKnows(entries) {
  known = entries;
  STORE.forgetDocuments();
  tellListeners();
}

function undoEdits() {
  labels = givenLabels();
  keepLabels();
}

/** The topic into which a topic is merged, or itself. */
function rootOf(topic, entries = labels) {
  let root = topic;
  while (entries[root].merged_into !== null) root = entries[root].merged_into;
  return root;
}

/** The topics shown as this one: itself and those merged into it. */
function membersOf(topic) {
  return membersBy(labels, topic);
}

function membersBy(entries, topic) {
  return TOPICS.map(({ id }) => id).filter((id) => rootOf(id, entries) === topic);
}

/** Exact descriptions of topics that were already merged when the page was generated. */
const LABELLED = new Map((REPORT.labelled?.topics ?? []).map((topic) => [topic.id, topic]));

/** Whether a topic currently consists of exactly `members`. */
function isMadeOf(topic, members) {
  return members !== undefined && String(membersOf(topic)) === String(members);
}

/** Whether a topic consists of the same topics as when the page was generated. */
function isAsGiven(topic) {
  return isMadeOf(topic, membersBy(givenLabels(), topic));
}

/** A topic's description as shown; topics merged on the page are approximated from their parts. */
function described(topic) {
  const exact = LABELLED.get(topic);
  if (isMadeOf(topic, exact?.members)) return exact;
  const members = membersOf(topic);
  return members.length > 1 ? mixture(topic, members) : TOPICS[topic];
}

/** Whether a topic's exact words, coherence and intervals need a new report. */
function isMixture(topic) {
  return membersOf(topic).length > 1 && !isMadeOf(topic, LABELLED.get(topic)?.members);
}

const MIXTURES = new Map();

/** A topic merged on the page: a mixture of its parts k with weights α_k / Σ α, as in all commands. */
function mixture(topic, members) {
  const kept = MIXTURES.get(String(members));
  if (kept) return { ...kept, id: topic };
  const total = members.reduce((sum, id) => sum + REPORT.alpha[id], 0);
  const words = [...new Set(members.flatMap((id) => TOPICS[id].words))];
  const mean = (values) => members.reduce((sum, id, i) => sum + (REPORT.alpha[id] / total) * values[i], 0);
  const p = words.map((word) => mean(members.map((id) => probabilityIn(id, word))));
  const frex = words.map((word) => mean(members.map((id) => TOPICS[id].frex[TOPICS[id].words.indexOf(word)] ?? 0)));
  const order = Array.from(words.keys()).sort((a, b) => p[b] - p[a]);
  const mixed = {
    ...TOPICS[topic],
    words: order.map((i) => words[i]),
    p: order.map((i) => p[i]),
    frex: order.map((i) => frex[i]),
    token_share: members.reduce((sum, id) => sum + TOPICS[id].token_share, 0),
    coherence: null,
    nearest: [],
  };
  MIXTURES.set(String(members), mixed);
  return mixed;
}

/** β of a word in a topic as trained; for unlisted words, computed from the topic's share of the word. */
function probabilityIn(topic, word) {
  const { words, p, token_share: share } = TOPICS[topic];
  const listed = words.indexOf(word);
  if (listed >= 0) return p[listed];
  const part = new Map(usersOf(word)).get(topic) ?? 0;
  return (part * REPORT.word_shares[word]) / share;
}

/** How a word's tokens are shared among the topics as trained: [[topic, share], …]. */
function usersOf(word) {
  const flat = REPORT.word_topics[word];
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
}

/** A document's shares of the visible topics: {topic, share, low, high}, in descending order. */
function shownShares(doc) {
  const sums = new Map();
  for (const { topic, share } of doc.parts) {
    const root = rootOf(topic);
    if (!labels[root].hidden) sums.set(root, (sums.get(root) ?? 0) + share);
  }
  for (const { topic, share, members } of doc.merged)
    if (isMadeOf(topic, members) && !labels[topic].hidden) sums.set(topic, share);
  const single = new Map(doc.parts.map((part) => [part.topic, part]));
  return Array.from(sums, ([topic, share]) => {
    if (membersOf(topic).length === 1) return single.get(topic);
    const exact = doc.merged.find((part) => part.topic === topic && isMadeOf(topic, part.members));
    return exact ?? { topic, share, low: null, high: null };
  }).sort((a, b) => b.share - a.share || a.topic - b.topic);
}

/** Unpack a document's shares: repeated topic, share, low, high; a merged topic k is stored as −1 − k. */
function unpackShares(packed) {
  const all = Array.from({ length: packed.length / 4 }, (_, i) => packed.slice(4 * i, 4 * i + 4));
  const entries = all.map(([topic, ...figures]) => {
    const [share, low, high] = figures.map((figure) => figure / PARTS);
    return { topic, share, low, high };
  });
  return {
    parts: entries.filter(({ topic }) => topic >= 0),
    merged: entries
      .filter(({ topic }) => topic < 0)
      .map((entry) => ({ ...entry, topic: -1 - entry.topic, members: membersBy(known, -1 - entry.topic) })),
  };
}

/** Visible topics, most prevalent first. */
function shownTopics() {
  return TOPICS.map(({ id }) => id)
    .filter((id) => labels[id].merged_into === null && !labels[id].hidden)
    .sort((a, b) => prevalence(b) - prevalence(a) || a - b);
}

/** Mean share of a topic, including topics merged into it. */
function prevalence(topic) {
  return membersOf(topic).reduce((sum, id) => sum + TOPICS[id].prevalence, 0);
}

/** Interval for the prevalence of a topic, including topics merged into it. */
function prevalenceInterval(topic) {
  const members = membersOf(topic);
  const variance = members.reduce(
    (sum, i) =>
      sum + members.reduce((part, j) => part + REPORT.covariance[Math.max(i, j)][Math.min(i, j)], 0),
    0,
  );
  const half = REPORT.quantile * Math.sqrt(Math.max(0, variance));
  return [Math.max(0, prevalence(topic) - half), Math.min(1, prevalence(topic) + half)];
}

/** A topic's name: the analyst's label, or its top words. */
function topicName(topic) {
  return labels[topic].label ?? firstWords(topic, NAME_WORDS);
}

function firstWords(topic, number) {
  return described(topic)
    .words.slice(0, number)
    .map((word) => REPORT.words[word])
    .join(", ");
}

/** The labels in the file format that `lda-app label --import` reads. */
function labelsFile(said = labels) {
  const entries = said
    .map((entry, id) => [id, entry])
    .filter(([, { label, hidden, merged_into }]) => label !== null || hidden || merged_into !== null);
  return {
    schema_version: 1,
    topics: Object.fromEntries(entries),
    ...(REPORT.about && { about: REPORT.about }),
  };
}

/** Load labels from a file's content; throws an Error that describes the problem. */
function readLabels(content) {
  const entries = Object.entries(content?.topics ?? {});
  if (content?.schema_version !== 1) throw new Error("it is not a labels.json file with schema version 1");
  if (content.about && REPORT.about && content.about !== REPORT.about)
    throw new Error("it belongs to a different model");
  const read = TOPICS.map(() => ({ ...AS_TRAINED }));
  for (const [key, entry] of entries) {
    if (!/^\d+$/.test(key) || !(key in read)) throw new Error(`there is no topic ${key}`);
    const { label = null, hidden = false, merged_into = null } = entry ?? {};
    if (label !== null && typeof label !== "string") throw new Error(`the label of topic ${key} is not text`);
    if (merged_into !== null && !(Number.isInteger(merged_into) && merged_into in read))
      throw new Error(`topic ${key} is merged into a topic that does not exist`);
    read[key] = { label: label && label.slice(0, LONGEST_LABEL), hidden: Boolean(hidden), merged_into };
  }
  for (const key of read.keys()) {
    const seen = new Set();
    for (let at = key; at !== null; at = read[at].merged_into) {
      if (seen.has(at)) throw new Error(`the merges of topic ${key} form a cycle`);
      seen.add(at);
    }
  }
  labels = read;
  keepLabels();
}
