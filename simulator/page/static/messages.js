// A list of messages that follows the store: each message is one element, touched only when it has changed.

import { avatar, dayOf, element, icon, timeOf, updateHtml } from "./dom.js";

const GROUP_SECONDS = 300;
const LOADING_MILLISECONDS = 3000; // how long each loading message is shown

/** "agent is thinking…", with the loading messages in turn; nothing without a status. */
export function statusLine(store, status) {
  if (!status?.text) return null;
  const messages = status.loading_messages;
  const loading = messages[Math.floor(Date.now() / LOADING_MILLISECONDS) % messages.length];
  return element("span", { class: "status" }, `${store.agent.name} ${status.text}`, loading ? element("span", { class: "loading" }, loading) : null);
}

export class MessageList {
  /**
   * `inThread` lists show a whole thread, others its first message with a line about the replies.
   * `openThread(message)` is called when somebody wants to see or write replies.
   */
  constructor(container, { store, inThread = false, openThread = null }) {
    this.container = container;
    this.store = store;
    this.inThread = inThread;
    this.openThread = openThread;
    this.shown = new Map();
    this.dividers = new Map();
  }

  clear() {
    this.shown.clear();
    this.dividers.clear();
    this.container.replaceChildren();
  }

  show(messages, selectedTs = null) {
    const wanted = [];
    let previous = null;
    messages.forEach((message, index) => {
      const divider = this.#divider(message, previous, index, messages.length);
      if (divider) wanted.push(divider);
      const follows = !divider && this.#follows(message, previous);
      wanted.push(this.#element(message, { follows, isSelected: message.ts === selectedTs }));
      previous = message;
    });
    const present = new Set(messages.map((message) => message.ts));
    for (const ts of this.shown.keys()) if (!present.has(ts)) this.shown.delete(ts);
    this.#arrange(wanted);
  }

  #arrange(wanted) {
    const keep = new Set(wanted);
    for (const node of [...this.container.children]) if (!keep.has(node)) node.remove();
    wanted.forEach((node, index) => {
      if (this.container.children[index] !== node) this.container.insertBefore(node, this.container.children[index] ?? null);
    });
  }

  #divider(message, previous, index, total) {
    if (this.inThread) {
      if (index !== 1) return null;
      const words = total === 2 ? "1 reply" : `${total - 1} replies`;
      return this.#keptDivider("replies", words, "divider replies");
    }
    const day = dayOf(message.ts);
    return previous && dayOf(previous.ts) === day ? null : this.#keptDivider(day, day, "divider");
  }

  #keptDivider(key, words, name) {
    let node = this.dividers.get(key);
    if (!node) {
      node = element("div", { class: name }, element("span"));
      this.dividers.set(key, node);
    }
    if (node.firstChild.textContent !== words) node.firstChild.textContent = words;
    return node;
  }

  /** Whether a message continues what the same person said just before. */
  #follows(message, previous) {
    return Boolean(
      previous &&
        previous.user === message.user &&
        !previous.reply_count &&
        !previous.subtype &&
        Number(message.ts) - Number(previous.ts) < GROUP_SECONDS,
    );
  }

  #element(message, { follows, isSelected }) {
    const status = this.openThread && this.store.status(message.channel, message.ts);
    const signature = JSON.stringify([message, follows, isSelected, status]);
    const known = this.shown.get(message.ts);
    if (known?.signature === signature) return known.node;
    const entry = known ?? { node: this.#build(message) };
    this.#fill(entry.node, message, { follows, isSelected });
    entry.signature = signature;
    this.shown.set(message.ts, entry);
    return entry.node;
  }

  #build(message) {
    const user = this.store.users.get(message.user);
    const name = user?.real_name ?? "Slackbot";
    return element(
      "article",
      { class: "message", "data-ts": message.ts, "aria-label": `${user?.is_bot ? user.name : name}` },
      element("div", { class: "gutter" }, avatar(user), timeOf(message.ts)),
      element(
        "div",
        { class: "content" },
        element(
          "header",
          {},
          element("strong", { class: "author" }, user?.is_bot ? user.name : name),
          user?.is_bot ? element("span", { class: "badge" }, "APP") : null,
          timeOf(message.ts),
        ),
        message.only_for ? element("p", { class: "only-you" }, "Only visible to you") : null,
        element("div", { class: "body", dir: "auto" }),
        element("footer"),
      ),
      this.openThread
        ? element(
            "div",
            { class: "actions" },
            element("button", { type: "button", onclick: () => this.openThread(message), title: "Reply in thread", "aria-label": "Reply in thread" }, icon("M3 4.5h14v9H9.5L6 16.5v-3H3zM6.5 7.8h7M6.5 10.4h4.5")),
          )
        : null,
    );
  }

  #fill(node, message, { follows, isSelected }) {
    const isBot = this.store.users.get(message.user)?.is_bot;
    node.classList.toggle("follows", follows);
    node.classList.toggle("selected", isSelected);
    node.classList.toggle("streaming", message.streaming_state === "in_progress");
    node.classList.toggle("tombstone", message.subtype === "tombstone");
    updateHtml(node.querySelector(".body"), message.html);
    const body = node.querySelector(".body");
    // A first word such as "Processing…" that is going to be replaced by the answer.
    node.classList.toggle("waiting", Boolean(isBot) && body.textContent.length < 60 && body.textContent.trim().endsWith("…"));
    const times = message.edits === 1 ? "once" : `${message.edits} times`;
    const edited = message.edits ? element("span", { class: "edited", title: `Edited ${times}` }, "(edited)") : null;
    const status = this.openThread && statusLine(this.store, this.store.status(message.channel, message.ts));
    const reactions = message.reactions.map(([emoji, count]) => element("span", { class: "reaction" }, `${emoji} ${count}`));
    node.querySelector("footer").replaceChildren(...[edited, ...reactions, this.#repliesLine(message), status].filter(Boolean));
  }

  #repliesLine(message) {
    if (!this.openThread || !message.reply_count) return null;
    const people = message.reply_users.map((id) => avatar(this.store.users.get(id), "small"));
    const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
    return element(
      "button",
      { type: "button", class: "replies-line", onclick: () => this.openThread(message) },
      ...people,
      element("span", { class: "count" }, words),
      element("span", { class: "latest" }, "Last reply ", timeOf(message.latest_reply)),
    );
  }
}
