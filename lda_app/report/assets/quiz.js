// Can people see what a topic is about? Intrusion tasks (Chang et al. 2009); the answers leave as a file.

const ANSWERS = new Map();
let rater = "";

function wordQuestions() {
  return REPORT.questions.map((question, number) => ({ ...question, key: `word ${number}` }));
}

/** The answers as the file that is documented in docs/report.md. */
function answersFile(topicQuestions, ids) {
  const wordsOf = (list) => list.map((word) => REPORT.words[word]);
  return {
    schema_version: 1,
    kind: "intrusion_answers",
    ...(REPORT.about && { about: REPORT.about }),
    rater,
    word_intrusion: wordQuestions()
      .filter(({ key }) => ANSWERS.has(key))
      .map(({ key, topic, words, intruder }) => ({
        topic,
        words: wordsOf(words),
        intruder: REPORT.words[intruder],
        chosen: REPORT.words[ANSWERS.get(key)],
      })),
    topic_intrusion: topicQuestions
      .filter(({ key }) => ANSWERS.has(key))
      .map(({ key, document: row, topics, shares, intruder }) => ({
        document: ids.get(row),
        topics,
        shares: shares.map((share) => share / PARTS),
        intruder,
        chosen: ANSWERS.get(key),
      })),
  };
}

function quizStep(question, number, total, legend, options, act) {
  const { key } = question;
  const inputs = options.map(([value, label], i) => {
    const id = `answer-${i}`;
    return h(
      "div",
      { class: "answer" },
      h("input", {
        type: "radio",
        name: "answer",
        id,
        value,
        checked: ANSWERS.get(key) === value,
        onchange: () => {
          ANSWERS.set(key, value);
          act.changed();
        },
      }),
      h("label", { for: id }, data(label)),
    );
  });
  return h(
    "fieldset",
    { class: "question" },
    h("legend", null, h("span", { class: "muted" }, `Question ${number + 1} of ${total}. `), legend),
    h("div", { class: "answers" }, inputs),
    h(
      "div",
      { class: "controls" },
      button("Back", () => act.go(number - 1), { disabled: number === 0 }),
      button(number + 1 < total ? "Next" : "Done", () => act.go(number + 1), { class: "primary" }),
    ),
  );
}

const quiz = {
  id: "quiz",
  title: "Human check",
  render() {
    const body = h("div");
    const status = h("p", { role: "status", class: "muted" });
    let topicQuestions = [];
    const ids = new Map();
    let at = -1;
    const questions = () => [...wordQuestions(), ...topicQuestions];
    const said = () =>
      (status.textContent = `${counted([...ANSWERS.keys()].length, "answer")} given of ${counted(questions().length, "question")}.`);
    const act = {
      changed: said,
      go: (to) => {
        at = to;
        draw(true);
      },
    };
    const draw = async (focus = false) => {
      said();
      const all = questions();
      if (at < 0) {
        body.replaceChildren(
          field(
            "Your name or initials, if you like",
            h("input", {
              type: "text",
              value: rater,
              maxlength: 100,
              oninput: (event) => (rater = event.target.value),
            }),
          ),
          button("Begin", () => act.go(0), { class: "primary", disabled: all.length === 0 }),
        );
      } else if (at >= all.length) {
        body.replaceChildren(
          h("p", { tabindex: -1 }, "Thank you. Save the answers and send them to the analyst."),
        );
      } else {
        const question = all[at];
        if (question.words) {
          body.replaceChildren(
            quizStep(
              question,
              at,
              all.length,
              "Five of these words belong together. Which one does not?",
              question.words.map((word) => [word, REPORT.words[word]]),
              act,
            ),
          );
        } else {
          const text = ((await STORE.text(question.document)) ?? "").trim().slice(0, 1200);
          body.replaceChildren(
            h("blockquote", { class: "text", dir: "auto" }, text),
            quizStep(
              question,
              at,
              all.length,
              "Three of these topics are in the document. Which one is not?",
              question.topics.map((id) => [id, firstWords(id, 8)]),
              act,
            ),
          );
        }
      }
      if (focus) body.querySelector("input, [tabindex]")?.focus();
    };
    if (STORE.available) {
      STORE.questions().then(async (found) => {
        topicQuestions = found.map((question, number) => ({ ...question, key: `topic ${number}` }));
        for (const { document: row } of found) ids.set(row, (await STORE.document(row)).id);
        draw();
      });
    }
    draw();
    return [
      h("h2", null, "Human check"),
      h(
        "p",
        { class: "lead" },
        "Word intrusion and topic intrusion: who finds the word or topic that was smuggled in, has understood the rest. Answer what you can and skip what you cannot.",
      ),
      body,
      status,
      h(
        "p",
        { class: "muted" },
        "The analyst scores them by ",
        h("code", null, "lda-app eval RUN --intrusion answers.json"),
        ".",
      ),
      button("Save the answers", () => download("answers.json", answersFile(topicQuestions, ids)), {
        class: "save",
      }),
    ];
  },
};
