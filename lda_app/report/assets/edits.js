// What the analyst says of the topics: names, merges, hidden ones. It begins with what the model's labels.json
// says, is kept by the store, and leaves the page as a labels.json.

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

let known = givenLabels(); // to the model
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

/** Whether there are edits that the model does not know yet. */
function isEdited() {
  return JSON.stringify(labels) !== JSON.stringify(known);
}

/** The model has these labels now. */
function modelKnows(entries) {
  known = entries;
  STORE.forgetDocuments();
  tellListeners();
}

function undoEdits() {
  labels = givenLabels();
  keepLabels();
}

/** The topic that a topic is shown as. */
function rootOf(topic, entries = labels) {
  let root = topic;
  while (entries[root].merged_into !== null) root = entries[root].merged_into;
  return root;
}

/** The topics that are shown as one. */
function membersOf(topic) {
  return membersBy(labels, topic);
}

function membersBy(entries, topic) {
  return TOPICS.map(({ id }) => id).filter((id) => rootOf(id, entries) === topic);
}

/** The topics that others were merged into when the page was made, as they are described then. */
const LABELLED = new Map((REPORT.labelled?.topics ?? []).map((topic) => [topic.id, topic]));

/** Whether a topic is made of the same topics now as `members`. */
function isMadeOf(topic, members) {
  return members !== undefined && String(membersOf(topic)) === String(members);
}

/** The description of a topic as it is shown; what merging in the page makes is put together from its parts. */
function described(topic) {
  const exact = LABELLED.get(topic);
  if (isMadeOf(topic, exact?.members)) return exact;
  const members = membersOf(topic);
  return members.length > 1 ? mixture(topic, members) : TOPICS[topic];
}

/** Whether words, coherence and intervals of a topic are not known before the report is made again. */
function isMixture(topic) {
  return membersOf(topic).length > 1 && !isMadeOf(topic, LABELLED.get(topic)?.members);
}

const MIXTURES = new Map();

/** A topic put together in the page: a word is of its part k with probability α_k / Σ α, as in all commands. */
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

/** β of a word in a topic as it was trained; from the topic's part of the word where it is not listed. */
function probabilityIn(topic, word) {
  const { words, p, token_share: share } = TOPICS[topic];
  const listed = words.indexOf(word);
  if (listed >= 0) return p[listed];
  const part = new Map(usersOf(word)).get(topic) ?? 0;
  return (part * REPORT.word_shares[word]) / share;
}

/** Shares of a word's tokens that topics have as they were trained: [[topic, share], …]. */
function usersOf(word) {
  const flat = REPORT.word_topics[word];
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
}

/** What a document has of the topics to show: {topic, share, low, high}, the largest share first. */
function shownShares(doc) {
  const sums = new Map();
  for (const { topic, share } of doc.parts) {
    const root = rootOf(topic);
    if (!labels[root].hidden) sums.set(root, (sums.get(root) ?? 0) + share);
  }
  const single = new Map(doc.parts.map((part) => [part.topic, part]));
  return Array.from(sums, ([topic, share]) => {
    if (membersOf(topic).length === 1) return single.get(topic);
    const exact = doc.merged.find((part) => part.topic === topic && isMadeOf(topic, part.members));
    return exact ?? { topic, share, low: null, high: null };
  }).sort((a, b) => b.share - a.share || a.topic - b.topic);
}

/** Take apart the shares of a document: topic, share, low, high and so on; merged topics k stand as −1 − k. */
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

/** Topics to show, the most prevalent first. */
function shownTopics() {
  return TOPICS.map(({ id }) => id)
    .filter((id) => labels[id].merged_into === null && !labels[id].hidden)
    .sort((a, b) => prevalence(b) - prevalence(a) || a - b);
}

/** Mean share of a topic with all that was merged into it. */
function prevalence(topic) {
  return membersOf(topic).reduce((sum, id) => sum + TOPICS[id].prevalence, 0);
}

/** Interval of the prevalence of a topic with all that was merged into it. */
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

/** A topic's name: what the analyst calls it, or its first words. */
function topicName(topic) {
  return labels[topic].label ?? firstWords(topic, NAME_WORDS);
}

function firstWords(topic, number) {
  return described(topic)
    .words.slice(0, number)
    .map((word) => REPORT.words[word])
    .join(", ");
}

/** The labels as the file that `lda-app label --import` reads. */
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

/** Take labels from a file; throws an Error that says what is wrong with it. */
function readLabels(content) {
  const entries = Object.entries(content?.topics ?? {});
  if (content?.schema_version !== 1) throw new Error("it is no labels.json of schema version 1");
  if (content.about && REPORT.about && content.about !== REPORT.about)
    throw new Error("it is about another model");
  const read = TOPICS.map(() => ({ ...AS_TRAINED }));
  for (const [key, entry] of entries) {
    if (!(key in read)) throw new Error(`there is no topic ${key}`);
    const { label = null, hidden = false, merged_into = null } = entry;
    if (label !== null && typeof label !== "string") throw new Error(`the label of topic ${key} is no text`);
    if (merged_into !== null && !(merged_into in read))
      throw new Error(`topic ${key} is merged into no topic`);
    read[key] = { label: label && label.slice(0, LONGEST_LABEL), hidden: Boolean(hidden), merged_into };
  }
  for (const key of read.keys()) {
    const seen = new Set();
    for (let at = key; at !== null; at = read[at].merged_into) {
      if (seen.has(at)) throw new Error(`the merges of topic ${key} go round in circles`);
      seen.add(at);
    }
  }
  labels = read;
  keepLabels();
}
