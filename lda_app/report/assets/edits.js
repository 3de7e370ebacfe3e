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
  tellListeners();
}

function undoEdits() {
  labels = givenLabels();
  keepLabels();
}

/** The topic that a topic is shown as. */
function rootOf(topic) {
  let root = topic;
  while (labels[root].merged_into !== null) root = labels[root].merged_into;
  return root;
}

/** The topics that are shown as one. */
function membersOf(topic) {
  return TOPICS.map(({ id }) => id).filter((id) => rootOf(id) === topic);
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
  return TOPICS[topic].words
    .slice(0, number)
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
