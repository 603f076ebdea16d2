// What the server has told: people, channels, messages and journal entries, and the connection to it.

export class Store extends EventTarget {
  constructor() {
    super();
    this.users = new Map();
    this.channels = new Map();
    this.messages = new Map();
    this.entries = new Map();
    this.statuses = [];
    this.viewer = null; // what is for one person only is shown to that person
  }

  connect() {
    const source = new EventSource("/page/events");
    source.onopen = () => this.#tell("connection", { open: true });
    source.onerror = () => this.#tell("connection", { open: false });
    const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    on("snapshot", (data) => this.#replaceAll(data));
    on("channels", (channels) => {
      this.#setChannels(channels);
      this.#tell("channels");
    });
    on("messages", ({ changed, deleted }) => {
      const isNew = new Set(changed.filter((message) => !this.messages.has(keyOf(message))).map(keyOf));
      for (const message of changed) this.messages.set(keyOf(message), message);
      for (const message of deleted) this.messages.delete(keyOf(message));
      this.#tell("messages", { changed, deleted, isNew });
    });
    on("statuses", (statuses) => {
      this.statuses = statuses;
      this.#tell("statuses");
    });
    on("entries", (entries) => {
      this.#addEntries(entries);
      this.#tell("entries", { entries });
    });
  }

  get agent() {
    return [...this.users.values()].find((user) => user.is_bot);
  }

  /** Those who can speak: everybody but the agent. */
  get people() {
    return [...this.users.values()].filter((user) => !user.is_bot);
  }

  channelsOf(user) {
    return [...this.channels.values()].filter((channel) => channel.members.includes(user.id));
  }

  history(channelId) {
    return this.#sorted((message) => message.channel === channelId && message.in_channel);
  }

  thread(channelId, rootTs) {
    const belongs = (message) => message.ts === rootTs || message.thread_ts === rootTs;
    return this.#sorted((message) => message.channel === channelId && belongs(message));
  }

  message(channelId, ts) {
    return this.messages.get(`${channelId}:${ts}`);
  }

  /** What the agent says of itself in a thread: {text, loading_messages}, or undefined. */
  status(channelId, rootTs) {
    return this.statuses.find((status) => status.channel === channelId && status.thread_ts === rootTs);
  }

  #sorted(belongs) {
    // A ts has a fixed number of digits, so text sorts it.
    const isForViewer = (message) => !message.only_for || message.only_for === this.viewer?.id;
    return [...this.messages.values()].filter((message) => belongs(message) && isForViewer(message)).sort((a, b) => (a.ts < b.ts ? -1 : 1));
  }

  #replaceAll(data) {
    this.teams = data.teams;
    this.users = new Map(data.users.map((user, number) => [user.id, { ...user, number }]));
    this.#setChannels(data.channels);
    this.messages = new Map(data.messages.map((message) => [keyOf(message), message]));
    this.statuses = data.statuses;
    this.entries = new Map();
    this.#addEntries(data.entries);
    this.ownAgent = data.own_agent;
    this.examples = data.examples;
    this.suggestions = data.suggestions;
    this.#tell("snapshot");
  }

  #setChannels(channels) {
    this.channels = new Map(channels.map((channel) => [channel.id, channel]));
  }

  #addEntries(entries) {
    // An entry may come a second time, with nothing but the thread that it belongs to.
    for (const entry of entries) {
      const known = this.entries.get(entry.number);
      if (known || entry.source) this.entries.set(entry.number, Object.assign(known ?? {}, entry));
    }
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

export function keyOf(message) {
  return `${message.channel}:${message.ts}`;
}

/** Asks the control API to do what a person does. Throws an Error with words for that person. */
export async function act(path, body) {
  let answer;
  try {
    const response = await fetch(`/control/${path}`, { method: "POST", body: JSON.stringify(body) });
    answer = await response.json();
  } catch {
    throw new Error("The simulator does not answer. Is it still running?");
  }
  if (!answer.ok) throw new Error(EXPLANATIONS[answer.error] ?? `The simulator refused this: ${answer.error}`);
  return answer;
}

const EXPLANATIONS = {
  not_in_channel: "You are not a member of this channel.",
  is_archived: "This channel is archived.",
  messages_tab_disabled: "The app's manifest does not allow direct messages.",
  thread_not_found: "This thread does not exist any more.",
};
