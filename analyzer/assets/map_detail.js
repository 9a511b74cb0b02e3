"use strict";
// One finding: its sentence, the numbers, the rule it breaks with its source, and a link to it.
(function (zonelog) {
  const { data, make } = zonelog, names = data.verdicts;

  const linkTo = (finding) => location.href.split("#")[0] + "#finding=" + encodeURIComponent(finding.id);

  const copyLink = (field, said) => {
    const byHand = () => { field.focus(); field.select(); said.textContent = zonelog.word("copy_by_hand"); };
    if (!navigator.clipboard) { byHand(); return; }
    navigator.clipboard.writeText(field.value).then(() => { said.textContent = zonelog.word("copied"); }, byHand);
  };

  const link = (finding) => {
    const field = make("input", { id: "link", readonly: true, value: linkTo(finding) });
    const said = make("span", { class: "said", role: "status" });
    return make("div", { class: "link" }, make("label", { for: "link", text: zonelog.word("link") }), field,
      make("button", { type: "button", text: zonelog.word("copy"), on: { click: () => copyLink(field, said) } }), said);
  };

  const rule = (own) => {
    const w = zonelog.word, rows = make("dl");
    for (const key of ["legal_basis", "source", "confidence"]) {
      if (own[key]) rows.append(make("dt", { text: w(key) }), make("dd", {}, zonelog.name(key === "confidence" ? w(own[key]) : own[key])));
    }
    return make("div", { class: "rule" }, make("p", { class: "rule-id" }, zonelog.name(own.id + " (" + own.revision + ")")),
      make("blockquote", {}, zonelog.name(own.text[zonelog.lang])), rows);
  };

  const rules = (story) => {
    const parts = story.rules.filter((key) => data.rules[key]).map((key) => rule(data.rules[key]));
    const permits = Object.values(data.rules).filter((own) => story.matched.includes(own.id));
    if (permits.length) parts.push(make("h4", { text: zonelog.word("matched") }), ...permits.map(rule));
    return parts.length ? [make("h3", { text: zonelog.word("rule_text") }), ...parts] : [];
  };

  // What a file that was nearly too large does to lines, in centimetres: half a step (1e-7 degrees are 1.11 cm).
  const rounded = () => data.fine > 1
    ? [make("p", { class: "apart", text: zonelog.word("rounded").replace("{cm}", (Math.ceil(data.fine * 1.113 * 5) / 10).toFixed(1)) })] : [];

  // The panel; `act` has back, previous and next.
  zonelog.detail = (finding, story, act) => {
    const w = zonelog.word, rows = make("dl", { class: "numbers" });
    const button = (key, sign) => make("button", { type: "button", class: key, "aria-label": w(key), title: w(key), text: sign, on: { click: act[key] } });
    for (const [key, value] of [...story.rows, ["id", finding.id]]) {
      const text = typeof value === "string" ? value : value[zonelog.lang];
      rows.append(make("dt", { text: w(key) }), make("dd", {}, zonelog.name(text)));
    }
    const verdict = names[finding.verdict];
    return [
      make("div", { class: "turn" }, make("button", { type: "button", class: "back", text: "← " + w("back"), on: { click: act.back } }),
        button("previous", "↑"), button("next", "↓")),
      make("h2", { tabindex: "-1", class: "title " + verdict }, zonelog.sign(finding.verdict),
        data.checks[finding.check][zonelog.lang] + " – " + w(verdict)),
      make("p", { class: "sentence" }, zonelog.name(story[zonelog.lang])),
      rows, ...rounded(), ...rules(story), link(finding),
    ];
  };
}(window.zonelog = window.zonelog || {}));
