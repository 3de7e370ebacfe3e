// Human evaluation with intrusion tasks (Chang et al. 2009); answers are downloaded as a file.

const ANSWERS = new Map();
let rater = "";

function wordQuestions() {
  return REPORT.questions.map((question, number) => ({ ...question, key: `word ${number}` }));
}

/** The answers in the file format documented in docs/report.md. */
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
  title: "Human evaluation",
  render() {
    const body = h("div");
    const status = h("p", { role: "status", class: "muted" });
    let topicQuestions = [];
    const ids = new Map();
    let at = -1;
    const questions = () => [...wordQuestions(), ...topicQuestions];
    const said = () =>
      (status.textContent = `${whole(ANSWERS.size)} of ${counted(questions().length, "question")} answered.`);
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
            "Your name or initials (optional)",
            h("input", {
              type: "text",
              value: rater,
              maxlength: 100,
              oninput: (event) => (rater = event.target.value),
            }),
          ),
          button("Start", () => act.go(0), { class: "primary", disabled: all.length === 0 }),
        );
      } else if (at >= all.length) {
        body.replaceChildren(
          h("p", { tabindex: -1 }, "Thank you. Save your answers and send them to the analyst."),
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
              "Three of these topics occur in the document. Which one does not?",
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
      h("h2", null, "Human evaluation"),
      h(
        "p",
        { class: "lead" },
        "Each question hides an intruder: a word or topic that does not belong. If people can spot it, the topics make sense to them. Skip any question you cannot answer.",
      ),
      body,
      status,
      h(
        "p",
        { class: "muted" },
        "To score the answers, run ",
        h("code", null, "lda-app eval RUN --intrusion answers.json"),
        ".",
      ),
      button("Save answers", () => download("answers.json", answersFile(topicQuestions, ids)), {
        class: "save",
      }),
    ];
  },
};
