// The workspace's side: channels, direct messages, and as whom one speaks.

import { avatar, byId, element, icon } from "./dom.js";

const LOCK = "M5.5 9h9v7h-9zM7.2 9V6.8a2.8 2.8 0 0 1 5.6 0V9";
const SHARED = "M8 6.5a2.5 2.5 0 1 0 0 5h1M12 13.5a2.5 2.5 0 1 0 0-5h-1M7.5 10h5";

export function showSidebar(store, { me, channel, isUnread, select }) {
  byId("workspace-name").textContent = store.teams[me.team] ?? "";
  document.querySelector(".workspace-mark").textContent = (store.teams[me.team] ?? "?")[0];
  const mine = store.channelsOf(me);
  const rows = (channels, row) =>
    channels.map((one) => {
      const isCurrent = one.id === channel?.id;
      const name = `place${isCurrent ? " current" : ""}${isUnread(one) ? " unread" : ""}`;
      return element(
        "li",
        {},
        element("button", { type: "button", class: name, "data-channel": one.id, "aria-current": isCurrent ? "page" : null, onclick: () => select(store.channels.get(one.id)) }, ...row(one)),
      );
    });
  const named = mine.filter((one) => one.kind !== "im");
  replaceRows(
    byId("channels"),
    rows(named, (one) => [
      element("span", { class: "sign", "aria-hidden": "true" }, one.kind === "private" ? icon(LOCK) : "#"),
      element("span", { class: "name" }, one.name),
      one.teams.length > 1 ? element("span", { class: "shared", title: "Shared with another organisation" }, icon(SHARED)) : null,
      unreadNote(isUnread(one)),
    ]),
  );
  const direct = mine.filter((one) => one.kind === "im");
  byId("direct-messages-section").hidden = !direct.length;
  replaceRows(
    byId("direct-messages"),
    rows(direct, (one) => [avatar(store.agent, "tiny"), element("span", {}, store.agent.name), element("span", { class: "badge" }, "APP"), unreadNote(isUnread(one))]),
  );
}

/** Leaves the list alone when nothing in it has changed, and the focus where it is. */
function replaceRows(list, rows) {
  const isSame = rows.length === list.children.length && rows.every((row, index) => row.isEqualNode(list.children[index]));
  if (isSame) return;
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.channel : null;
  list.replaceChildren(...rows);
  if (focused) list.querySelector(`[data-channel="${focused}"]`)?.focus();
}

function unreadNote(isUnread) {
  return isUnread ? element("span", { class: "dot" }, element("span", { class: "visually-hidden" }, "unread")) : null;
}

/** Radio buttons, one for each person. */
export function buildSpeakers(store, become) {
  const home = store.agent.team;
  const rows = store.people.map((user) =>
    element(
      "label",
      { class: "speaker" },
      element("input", { type: "radio", name: "speaker", value: user.id, onchange: () => become(user) }),
      avatar(user, "small"),
      element(
        "span",
        { class: "who" },
        element("span", {}, user.real_name.replace(/ \(.*\)$/, "")),
        user.team === home ? null : element("small", {}, `of ${store.teams[user.team]}`),
      ),
    ),
  );
  byId("speakers").replaceChildren(byId("speakers").querySelector("legend"), ...rows);
}

export function checkSpeaker(me) {
  byId("speakers").querySelector(`[value="${me.id}"]`).checked = true;
}
