// Small helpers around the DOM. Text always becomes text; only the server's rendered messages are HTML.

/** An element with properties ("class", "on…" listeners, or attributes) and children (nodes or strings). */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A picture of 20 by 20 units, drawn in lines. */
export function icon(path) {
  const template = document.createElement("template");
  template.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="${path}"/></svg>`;
  return template.content.firstElementChild;
}

export function byId(id) {
  return document.getElementById(id);
}

/**
 * Makes the children of `target` those of `html`, and leaves alone every one that stays as it is: what a
 * person has selected in the finished part of a growing answer stays selected.
 */
export function updateHtml(target, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  updateChildren(target, template.content);
}

function updateChildren(target, source) {
  const fresh = [...source.childNodes];
  const stale = [...target.childNodes];
  fresh.forEach((node, index) => {
    const old = stale[index];
    if (!old) target.append(node);
    else if (!old.isEqualNode(node)) {
      const sameElement = old.nodeType === 1 && node.nodeType === 1 && old.cloneNode(false).isEqualNode(node.cloneNode(false));
      if (sameElement && old.children.length) updateChildren(old, node);
      else old.replaceWith(node);
    }
  });
  stale.slice(fresh.length).forEach((node) => node.remove());
}

/**
 * Keeps a scroller at its end while its content grows, unless the reader has scrolled up. A scroll event comes a
 * frame late: the position itself tells of a reader who scrolled up since.
 */
export class StickyScroller {
  constructor(scroller) {
    this.scroller = scroller;
    this.sticks = true;
    this.reached = 0; // pixels from the top: how far down it was brought
    scroller.addEventListener("scroll", () => {
      this.sticks = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
    });
    new ResizeObserver(() => this.follow()).observe(scroller);
  }

  follow() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const isScrolledUp = scrollTop < Math.min(this.reached, scrollHeight - clientHeight) - 48;
    if (!this.sticks || isScrolledUp) return;
    this.scroller.scrollTop = scrollHeight;
    this.reached = this.scroller.scrollTop;
  }

  /** Changes the content; a reader who was at its end is there again. What is left out at the top counts not. */
  keep(change) {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const wasAtEnd = this.sticks && scrollHeight - scrollTop - clientHeight < 48;
    change();
    if (wasAtEnd) this.toEnd();
  }

  toEnd() {
    this.sticks = true;
    this.reached = 0;
    this.follow();
  }
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" });

export function timeOf(ts) {
  const date = new Date(Number(ts) * 1000);
  return element("time", { datetime: date.toISOString(), title: EXACT.format(date) }, CLOCK.format(date));
}

export function dayOf(ts) {
  const date = new Date(Number(ts) * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  return ["Today", "Yesterday"][days] ?? DAY.format(date);
}

/** A person's initials on a colour, or the agent's picture. */
export function avatar(user, size = "") {
  const name = `avatar ${size}`;
  if (user?.is_bot) return element("img", { class: name, src: "/page/static/agent.svg", alt: "" });
  const initials = (user?.real_name ?? "?").split(" ").slice(0, 2).map((word) => word[0]).join("");
  return element("span", { class: `${name} colour-${(user?.number ?? 0) % 5}`, "aria-hidden": "true" }, initials);
}
