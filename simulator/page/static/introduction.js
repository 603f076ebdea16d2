// What stands at the beginning of each channel, and the pane of things to try.

import { avatar, byId, element } from "./dom.js";

const NOTES = {
  general: "Everybody of the company, and the agent. It answers wherever it is mentioned.",
  "weather-demo": "Ask the agent",
  "weather-private": "A private channel: only Alice and the agent are in it.",
  "weather-partner": "Shared with another organisation. The agent answers only people of its own.",
};

export function noteOf(channel) {
  return channel.kind === "im" ? "Every message here is for the agent; no mention is needed." : (NOTES[channel.name] ?? "");
}

export function introduction(store, channel, { fill, showSuggestions, showInspector }) {
  if (channel.name === "weather-demo") return welcome(store, { fill, showSuggestions, showInspector });
  if (channel.kind === "im") {
    const chips = store.examples.map((text) => chip(text.replace("@agent ", ""), fill));
    return element(
      "div",
      { class: "introduction" },
      avatar(store.agent, "large"),
      element("h2", {}, "Your direct messages with the agent"),
      element("p", {}, "Each message starts a new conversation, and the answer comes in its thread. Reply there to go on; the agent remembers what was said in a thread."),
      element("div", { class: "chips" }, ...chips),
    );
  }
  return element("div", { class: "introduction" }, element("h2", {}, `# ${channel.name}`), element("p", {}, noteOf(channel)));
}

function welcome(store, { fill, showSuggestions, showInspector }) {
  const inspector = element("button", { type: "button", class: "link", onclick: showInspector }, "inspector");
  return element(
    "div",
    { class: "introduction welcome" },
    element("div", { class: "welcome-head" }, avatar(store.agent, "large"), element("h2", {}, "Ask the agent, and watch its answer grow")),
    element(
      "p",
      {},
      "This is ",
      element("strong", {}, "slack-agent-bridge"),
      " on your own machine. ",
      store.ownAgent
        ? "Slack and the queue are local stand-ins, the agent is your own; "
        : "No AWS account, no Slack workspace: Slack, the queue and the agent are local stand-ins; ",
      "everything between them is the code that you would deploy.",
    ),
    element("p", { class: "call" }, "Mention the agent. It answers in a thread under your message."),
    element("div", { class: "chips" }, ...store.examples.map((text) => chip(text, fill))),
    store.ownAgent ? aboutOwnAgent(store, inspector) : aboutMeteorologist(showSuggestions, inspector),
  );
}

function aboutOwnAgent(store, inspector) {
  return element("p", { class: "fine" }, "The agent is yours: ", element("code", {}, store.ownAgent), ". The ", inspector, " shows every step.");
}

function aboutMeteorologist(showSuggestions, inspector) {
  return element(
    "p",
    { class: "fine" },
    "The agent is a small virtual meteorologist and ",
    element("strong", {}, "no language model"),
    ": it looks for the name of a city in your words, and its weather is computed, not measured. ",
    element("button", { type: "button", class: "link", onclick: showSuggestions }, "Some words"),
    " make it slow, fail or write tables; the ",
    inspector,
    " shows every step.",
  );
}

export function chip(text, fill) {
  return element("button", { type: "button", class: "chip", onclick: () => fill(text) }, text);
}

export function showSuggestionList(store, fill) {
  const row = ({ text, words, effect }) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", class: "suggestion", onclick: () => fill(text) },
        element("span", { class: "question" }, text.slice(0, -words.length), element("strong", {}, words)),
        element("span", { class: "effect" }, effect),
      ),
    );
  const part = (title, rows) => [element("h3", {}, title), element("ul", {}, ...rows.map(row))];
  byId("suggestions-list").replaceChildren(
    element("p", {}, "Some words in a question decide how the agent behaves. Choose a line, and it stands in the message field."),
    ...part("How it answers", store.suggestions.filter((one) => !one.is_trouble)),
    ...part("What goes wrong", store.suggestions.filter((one) => one.is_trouble)),
  );
}
