// The page as a whole: which channel, thread and person are chosen, and what is shown of the store.

import { Composer } from "./composer.js";
import { byId, element, StickyScroller } from "./dom.js";
import { Inspector } from "./inspector.js";
import { introduction, noteOf, showSuggestionList } from "./introduction.js";
import { MessageList, statusLine } from "./messages.js";
import { buildSpeakers, checkSpeaker, showSidebar } from "./sidebar.js";
import { act, Store } from "./store.js";

const FIRST_CHANNEL = "weather-demo";
const NARROW = window.matchMedia("(max-width: 760px)");
const ONE_PANE = window.matchMedia("(max-width: 1024px)"); // a thread takes the channel's place
// An answer that is being edited is read out once it has stood still for so long.
const SETTLED_MILLISECONDS = 2000;

const store = new Store();
const inspector = new Inspector(store);
const seen = new Map(); // the ts up to which a person has seen a channel, by "user:channel"
const own = new Set(); // keys of the messages written on this page: their threads open by themselves
let me = null;
let channel = null;
let rootTs = null; // of the open thread

const channelScroller = new StickyScroller(byId("channel-scroller"));
const threadScroller = new StickyScroller(byId("thread-scroller"));
const channelList = new MessageList(byId("channel-messages"), { store, openThread: (message) => openThread(message, { focus: true }) });
const threadList = new MessageList(byId("thread-messages"), { store, inThread: true });
for (const list of ["channel-messages", "thread-messages"]) byId(list).addEventListener("click", pressButton);
const channelComposer = new Composer(byId("channel-composer"), {
  id: "composer",
  names: mentionable,
  advice: (text) => mentionAdvice(text, channelComposer),
  send: (text, files) => send(text, files, null),
});
const threadComposer = new Composer(byId("thread-composer"), {
  id: "reply",
  names: mentionable,
  advice: (text) => mentionAdvice(text, threadComposer),
  send: (text, files) => send(text, files, rootTs),
});

// --- what the reader chooses ---

function become(user) {
  me = store.viewer = user;
  sessionStorage.setItem("speaker", user.id);
  const mine = store.channelsOf(me);
  if (channel && mine.some((one) => one.id === channel.id)) return showEverything();
  return selectChannel(mine.find((one) => one.name === FIRST_CHANNEL) ?? mine[0]);
}

/** Another channel begins without a thread. */
function selectChannel(one, threadTs = one.id === channel?.id ? rootTs : null) {
  const isAnother = one.id !== channel?.id;
  channel = one;
  if (threadTs !== rootTs) threadList.clear();
  rootTs = threadTs;
  if (isAnother) channelList.clear();
  showEverything();
  channelScroller.toEnd();
  closeMenu();
  if (isAnother && one.kind === "im") act("home", { user: me.id }).catch(() => {}); // Slack tells the app
  if (!NARROW.matches) channelComposer.focus();
}

function openThread(message, { focus = false } = {}) {
  rootTs = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : message.ts;
  showSuggestions(false);
  threadList.clear();
  showEverything();
  threadScroller.toEnd();
  if (focus) threadComposer.focus();
}

function closeThread() {
  rootTs = null;
  showEverything();
  if (!NARROW.matches) channelComposer.focus();
}

function showSuggestions(isShown) {
  byId("suggestions").hidden = !isShown;
  byId("suggestions-toggle").setAttribute("aria-expanded", String(isShown));
  if (isShown && rootTs) closeThread();
  byId("app").classList.toggle("has-side", isShown || Boolean(rootTs));
}

function showInspector(isShown) {
  byId("inspector").hidden = !isShown;
  byId("inspector-toggle").setAttribute("aria-expanded", String(isShown));
  byId("app").classList.toggle("has-inspector", isShown);
  sessionStorage.setItem("inspector", isShown ? "open" : "");
  if (isShown) inspector.sticky.toEnd();
}

function fill(text) {
  if (ONE_PANE.matches) showSuggestions(false);
  channelComposer.fill(channel.kind === "im" ? text.replace(/^@agent /, "") : text);
}

/** Slack's own Stop, which names the thread and no message. */
byId("thread-stop").addEventListener("click", () => act("stop", { channel: channel.id, ts: rootTs, user: me.id }));

/** A press on a button of the app's, which tells the app through Slack's interactivity. */
async function pressButton(event) {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  const message = button.closest(".message");
  const inputs = Object.fromEntries([...message.querySelectorAll("input[data-input]")].map((input) => [input.dataset.input, input.value]));
  button.disabled = true;
  try {
    await act("press", { channel: channel.id, ts: message.dataset.ts, user: me.id, action_id: button.dataset.action, inputs });
  } finally {
    button.disabled = false;
  }
}

async function send(text, files, threadTs) {
  const uploads = await Promise.all(files.map(upload));
  const sent = await act("messages", { channel: channel.id, user: me.id, text, files: uploads, ...(threadTs && { thread_ts: threadTs }) });
  if (threadTs) threadScroller.toEnd();
  else {
    own.add(`${sent.channel}:${sent.ts}`);
    openOwnThread({ changed: store.thread(sent.channel, sent.ts).slice(1) }); // a reply may have been faster
    channelScroller.toEnd();
  }
}

/** A chosen file as the control API takes it. */
function upload(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, mimetype: file.type || null, bytes: reader.result.split(",")[1] ?? "" });
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}

// --- what is shown ---

function showEverything() {
  showChannel();
  showThread();
  checkSpeaker(me);
  rememberPlace();
}

function showChannel() {
  const history = store.history(channel.id);
  if (history.length) seen.set(`${me.id}:${channel.id}`, history.at(-1).ts);
  showSidebar(store, { me, channel, isUnread, select: selectChannel });
  const isDirect = channel.kind === "im";
  const name = isDirect ? store.agent.name : channel.name;
  byId("channel-title").replaceChildren(...(isDirect ? [] : [element("span", { class: "sign" }, "# ")]), name);
  byId("channel-note").textContent = noteOf(channel);
  document.title = `${isDirect ? name : `#${name}`} · slack-agent-bridge`;
  if (byId("introduction").dataset.channel !== channel.id) {
    byId("introduction").dataset.channel = channel.id;
    byId("introduction").replaceChildren(introduction(store, channel, { fill, showSuggestions: () => showSuggestions(true), showInspector: () => showInspector(true) }));
  }
  channelList.show(history, rootTs);
  channelComposer.setPlace(channel.id, isDirect ? "Message agent" : `Message #${name}`, !channel.is_archived);
  channelScroller.follow();
}

function showThread() {
  const thread = rootTs ? store.thread(channel.id, rootTs) : [];
  const isOpen = thread.length > 0;
  byId("thread").hidden = !isOpen;
  byId("app").classList.toggle("has-side", isOpen || !byId("suggestions").hidden);
  inspector.setThread(isOpen ? `${channel.id}:${rootTs}` : null);
  if (!isOpen) return;
  byId("thread-note").textContent = channel.kind === "im" ? "with the agent" : `# ${channel.name}`;
  threadList.show(thread);
  showStatus();
  threadComposer.setPlace(`${channel.id}:${rootTs}`, "Reply…", !channel.is_archived);
  threadScroller.follow();
}

function showStatus() {
  const line = rootTs && statusLine(store, store.status(channel.id, rootTs));
  const shown = byId("thread-status");
  if (shown.textContent !== (line?.textContent ?? "")) shown.replaceChildren(...(line ? [line] : []));
  byId("thread-stop").hidden = !(rootTs && store.status(channel.id, rootTs)?.can_stop);
}

function isUnread(one) {
  const last = store.history(one.id).at(-1);
  return Boolean(last && one.id !== channel?.id && last.user !== me.id && last.ts > (seen.get(`${me.id}:${one.id}`) ?? ""));
}

/** Those in the channel, the agent first. */
function mentionable() {
  const present = channel.members.map((id) => store.users.get(id)).filter((user) => user && user.id !== me.id);
  return present.sort((a, b) => b.is_bot - a.is_bot || a.name.localeCompare(b.name));
}

function mentionAdvice(text, composer) {
  if (channel.kind === "im" || text.includes("@") || text.length < 3) return null;
  const add = () => composer.fill(`@${store.agent.name} ${text.trimStart()}`);
  return element("span", {}, "The agent reads only messages that mention it. ", element("button", { type: "button", class: "link", onmousedown: (event) => event.preventDefault(), onclick: add }, "Add @agent"));
}

// --- the place in the address: #channel or #channel/thread ---

function rememberPlace() {
  const place = `#${channel.name || channel.id}${rootTs ? `/${rootTs}` : ""}`;
  // Back leads to where one was before; the first place takes that of the bare address.
  if (location.hash.length < 2) history.replaceState(null, "", place);
  else if (decodeURIComponent(location.hash) !== place) history.pushState(null, "", place);
}

function recallPlace() {
  const [name, ts] = decodeURIComponent(location.hash.slice(1)).split("/");
  const mine = store.channelsOf(me);
  const wanted = mine.find((one) => name && (one.name === name || one.id === name));
  const first = mine.find((one) => one.name === FIRST_CHANNEL) ?? mine[0];
  return { channel: wanted ?? first, ts: (wanted && ts) || null };
}

// --- what happens ---

store.addEventListener("snapshot", () => {
  const recalled = store.users.get(sessionStorage.getItem("speaker"));
  me = store.viewer = recalled && !recalled.is_bot ? recalled : store.people[0];
  const place = recallPlace();
  channel = place.channel;
  rootTs = store.message(channel.id, place.ts) ? place.ts : null; // what a snapshot lacks is gone
  channelList.clear();
  threadList.clear();
  byId("introduction").dataset.channel = "";
  buildSpeakers(store, become);
  byId("suggestions-toggle").hidden = store.suggestions.length === 0;
  for (const one of store.channels.values()) seen.set(`${me.id}:${one.id}`, store.history(one.id).at(-1)?.ts ?? "");
  document.body.classList.add("ready"); // what is not shown yet can't have the focus
  showEverything();
  showSuggestionList(store, fill);
  inspector.reset();
  channelScroller.toEnd();
  threadScroller.toEnd();
  if (!NARROW.matches && document.activeElement === document.body) channelComposer.focus();
});

store.addEventListener("channels", () => {
  channel = store.channels.get(channel.id);
  showEverything();
});

store.addEventListener("messages", ({ detail }) => {
  const here = [...detail.changed, ...detail.deleted].some((message) => message.channel === channel.id);
  if (here) {
    openOwnThread(detail);
    showChannel();
    showThread();
  } else showSidebar(store, { me, channel, isUnread, select: selectChannel });
  announce(detail);
});

store.addEventListener("statuses", () => {
  showChannel();
  showThread();
});
setInterval(() => rootTs && showStatus(), 1000);

store.addEventListener("entries", ({ detail }) => inspector.add(detail.entries));

store.addEventListener("connection", ({ detail }) => {
  const note = byId("connection");
  note.hidden = detail.open;
  note.textContent = detail.open ? "" : "The simulator does not answer. Once it runs again, this page goes on by itself.";
});

/** The first reply to a question asked on this page opens its thread, unless something is written elsewhere. */
function openOwnThread({ changed }) {
  const reply = changed.find((message) => message.ts !== message.thread_ts && own.has(`${message.channel}:${message.thread_ts}`));
  if (!reply || reply.channel !== channel.id || ONE_PANE.matches) return;
  own.delete(`${reply.channel}:${reply.thread_ts}`);
  if (!rootTs || threadComposer.isEmpty) openThread(reply);
}

// --- for those who listen ---

const settling = new Map();

function announce({ changed, isNew }) {
  for (const message of changed) {
    const key = `${message.channel}:${message.ts}`;
    const user = store.users.get(message.user);
    if (message.channel !== channel.id || message.user === me.id || !user) continue;
    clearTimeout(settling.get(key));
    if (isNew.has(key)) say(user, message);
    else if (user.is_bot) settling.set(key, setTimeout(() => say(user, message), SETTLED_MILLISECONDS));
  }
}

function say(user, message) {
  const template = document.createElement("template");
  template.innerHTML = message.html;
  byId("announcer").textContent = `${user.name}: ${template.content.textContent.slice(0, 300)}`;
}

// --- buttons and keys ---

function closeMenu() {
  byId("app").classList.remove("menu-open");
  byId("menu").setAttribute("aria-expanded", "false");
  byId("backdrop").hidden = true;
}

byId("menu").addEventListener("click", () => {
  byId("app").classList.add("menu-open");
  byId("menu").setAttribute("aria-expanded", "true");
  byId("backdrop").hidden = false;
  byId("channels").querySelector("button")?.focus();
});
byId("backdrop").addEventListener("click", closeMenu);
byId("skip-link").addEventListener("click", (event) => {
  event.preventDefault(); // the address holds the place
  channelComposer.focus();
});
byId("thread-close").addEventListener("click", closeThread);
byId("suggestions-toggle").addEventListener("click", () => showSuggestions(byId("suggestions").hidden));
byId("suggestions-close").addEventListener("click", () => showSuggestions(false));
byId("inspector-toggle").addEventListener("click", () => showInspector(byId("inspector").hidden));
byId("inspector-close").addEventListener("click", () => showInspector(false));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (byId("app").classList.contains("menu-open")) closeMenu();
  else if (!byId("suggestions").hidden) showSuggestions(false);
  else if (rootTs) closeThread();
});
window.addEventListener("hashchange", () => {
  const place = recallPlace();
  // A message that was just written may still be on its way here: its thread is shown once it has come.
  const root = place.ts && store.message(place.channel.id, place.ts);
  selectChannel(place.channel, root?.thread_ts ?? place.ts);
  threadScroller.toEnd();
});

if (sessionStorage.getItem("inspector")) showInspector(true);
store.connect();
