// The journal as it grows: what each part of the bridge and its stand-ins did, in order.

import { byId, element, StickyScroller } from "./dom.js";

// In the order of a question's way.
const SOURCES = { slack: "Slack", gateway: "HTTP API", lambda: "Lambda", queue: "Queue", agent: "Agent" };
const MAX_ROWS = 1000;

export class Inspector {
  constructor(store) {
    this.store = store;
    this.thread = null;
    this.hiddenSources = new Set();
    this.rows = new Map();
    this.list = byId("entries");
    this.search = byId("inspector-search");
    this.threadOnly = byId("thread-only");
    this.sticky = new StickyScroller(byId("entries-scroller"));
    this.search.addEventListener("input", () => this.#showAll());
    this.threadOnly.addEventListener("change", () => this.#showAll());
    this.#buildSources();
  }

  /** `thread` is "channel:ts" of the open thread, or null. */
  setThread(thread) {
    if (thread === this.thread) return;
    this.thread = thread;
    this.threadOnly.disabled = !thread;
    if (!thread) this.threadOnly.checked = false;
    this.#showAll();
  }

  reset() {
    this.#showAll();
  }

  add(entries) {
    this.sticky.keep(() => this.#add(entries));
  }

  #add(entries) {
    for (const { number, source } of entries) {
      const entry = this.store.entries.get(number);
      if (!entry) continue;
      if (source) this.#pulse(source);
      // An entry that has learned its thread late stands before others already.
      if (!source && this.threadOnly.checked) return this.#showAll();
      if (source && this.#fits(entry)) this.#append(entry);
    }
    this.#finish();
  }

  #buildSources() {
    this.buttons = {};
    for (const [source, name] of Object.entries(SOURCES)) {
      const button = element("button", { type: "button", class: `source source-${source}`, "aria-pressed": "true" }, element("span", { class: "lamp" }), name);
      button.addEventListener("click", () => {
        const isHidden = !this.hiddenSources.delete(source);
        if (isHidden) this.hiddenSources.add(source);
        button.setAttribute("aria-pressed", String(!isHidden));
        this.#showAll();
      });
      this.buttons[source] = button;
      byId("sources").append(button);
    }
  }

  #pulse(source) {
    const lamp = this.buttons[source]?.querySelector(".lamp");
    lamp?.animate([{ transform: "scale(2.1)" }, { transform: "scale(1)" }], { duration: 700, easing: "ease-out" });
  }

  #fits(entry) {
    if (this.hiddenSources.has(entry.source)) return false;
    if (this.threadOnly.checked && entry.thread !== this.thread) return false;
    const sought = this.search.value.trim().toLowerCase();
    return !sought || `${entry.source} ${entry.kind} ${JSON.stringify(entry.detail)}`.toLowerCase().includes(sought);
  }

  #showAll() {
    const fitting = [...this.store.entries.values()].filter((entry) => this.#fits(entry)).slice(-MAX_ROWS);
    this.list.replaceChildren();
    this.last = null;
    fitting.forEach((entry) => this.#append(entry));
    this.#finish();
    this.sticky.follow();
  }

  #append(entry) {
    const gap = this.last ? entry.at - this.last.at : null;
    this.last = entry;
    this.list.append(this.#row(entry, gap));
    if (this.list.children.length > MAX_ROWS) this.list.firstElementChild.remove();
  }

  #finish() {
    const isEmpty = !this.list.children.length;
    byId("entries-empty").hidden = !isEmpty;
  }

  #row(entry, gap) {
    const { words, isBad } = describe(entry, this.store);
    const facts = element("div", { class: "facts" });
    const details = element(
      "details",
      {},
      element(
        "summary",
        {},
        element("span", { class: "clock" }, clockOf(entry.at)),
        element("span", { class: "gap" }, gap === null ? "" : gapOf(gap)),
        element("span", { class: `tag source-${entry.source}` }, SOURCES[entry.source] ?? entry.source),
        element("span", { class: "kind" }, entry.kind),
        element("span", { class: "words" }, words),
      ),
      facts,
    );
    details.addEventListener("toggle", () => {
      if (details.open && !facts.hasChildNodes()) showFacts(facts, entry);
    });
    return element("li", { class: isBad ? "bad" : "" }, details);
  }
}

async function showFacts(place, entry) {
  const response = await fetch(`/page/entries/${entry.number}`).catch(() => null);
  const facts = response?.ok ? await response.json() : entry.detail;
  place.replaceChildren(element("pre", { tabindex: "0" }, ...coloured(JSON.stringify(unpacked(facts), null, 2))));
}

/** JSON inside of strings (a queue message's body, Slack's form fields) opened up. */
function unpacked(value) {
  if (typeof value === "string" && /^[[{]/.test(value)) {
    try {
      return unpacked(JSON.parse(value));
    } catch {
      return value;
    }
  }
  if (Array.isArray(value)) return value.map(unpacked);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpacked(one)]));
  return value;
}

function coloured(json) {
  return json.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?)/).map((part) => {
    if (!part.startsWith('"')) return part;
    return element("span", { class: part.endsWith(":") ? "json-name" : "json-text" }, part);
  });
}

function clockOf(at) {
  const date = new Date(at * 1000);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function gapOf(seconds) {
  return seconds < 1 ? `+${Math.max(0, Math.round(seconds * 1000))} ms` : `+${seconds.toFixed(1)} s`;
}

/** The entry in a few words, and whether it tells of trouble. */
function describe({ source, kind, detail }, store) {
  const user = store.users.get(detail.user)?.name;
  const channel = store.channels.get(detail.channel);
  const place = channel ? (channel.name ? `#${channel.name}` : "a direct message") : "";
  const characters = detail.chars ? ` · ${detail.chars.toLocaleString("en")} characters` : "";
  switch (`${source}: ${kind}`) {
    case "slack: user message":
      return { words: `${user} in ${place}${characters}` };
    case "slack: event delivered": {
      const retry = detail.attempt > 1 ? ` · attempt ${detail.attempt}` : "";
      return { words: `${detail.type} → ${detail.status ?? detail.failure}${retry}`, isBad: Boolean(detail.failure) };
    }
    case "slack: api call":
      return { words: `${detail.method} → ${detail.ok ? "ok" : detail.error}${characters}`, isBad: !detail.ok };
    case "gateway: request":
      return { words: `${detail.method} ${detail.path} → ${detail.status} in ${detail.milliseconds} ms`, isBad: detail.status >= 400 };
    case "lambda: environment started":
      return { words: `${detail.function} · a new process, ${detail.pid}` };
    case "lambda: invocation started":
      return { words: detail.function };
    case "lambda: invocation ended":
      return { words: `${detail.function} · ${detail.error ?? "ok"} after ${detail.milliseconds.toLocaleString("en")} ms`, isBad: Boolean(detail.error) };
    case "queue: message received":
    case "queue: message deleted":
      return { words: `${detail.queue}${detail.receive_count > 1 ? ` · receive ${detail.receive_count}` : ""}` };
    case "queue: message returned":
      return { words: `${detail.queue} · ${detail.reason}`, isBad: true };
    case "agent: invocation started":
      return { words: `“${detail.question}”` };
    case "agent: invocation ended":
      return { words: `${detail.ended} · ${detail.pieces} pieces of text`, isBad: !["complete", "approval"].includes(detail.ended) };
    case "agent: invocation refused":
      return { words: `${detail.error} (${detail.status})`, isBad: true };
    default:
      return { words: Object.values(detail).filter((value) => ["string", "number"].includes(typeof value)).join(" · ") };
  }
}
