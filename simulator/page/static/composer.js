// The field in which messages are written: it grows, sends with Enter, and offers names after an @.

import { avatar, element, icon } from "./dom.js";

const MAX_HEIGHT = 200;

export class Composer {
  /**
   * `names()` gives the users that can be mentioned, `send(text, files)` sends and throws an Error with words
   * for the writer, `advice(text)` gives a hint about the text (or null).
   */
  constructor(place, { id, names, send, advice }) {
    this.names = names;
    this.send = send;
    this.advice = advice;
    this.drafts = new Map(); // the files; the texts outlive a reload
    this.files = [];
    this.key = null;
    this.matches = [];
    this.chosen = 0;
    this.id = id;
    this.#build(place);
  }

  /** What is written belongs to `key`, a channel or a thread; each keeps its draft. */
  setPlace(key, label, isOpen = true) {
    if (key !== this.key) {
      if (this.key) this.drafts.set(this.key, this.files);
      this.key = key;
      this.field.value = sessionStorage.getItem(`draft:${key}`) ?? "";
      this.#setFiles(this.drafts.get(key) ?? []);
      this.problem.textContent = "";
      this.#changed();
    }
    this.field.placeholder = label;
    this.field.setAttribute("aria-label", label);
    this.field.disabled = !isOpen;
  }

  get isEmpty() {
    return !this.field.value.trim() && !this.files.length;
  }

  /** Writes `text` as if it had been typed. */
  fill(text) {
    this.field.value = text;
    this.#changed();
    this.#closeList();
    this.focus();
  }

  focus() {
    this.field.focus();
    this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  #build(place) {
    this.field = element("textarea", {
      id: this.id,
      rows: "1",
      spellcheck: "false",
      autocomplete: "off",
      "aria-autocomplete": "list",
      "aria-controls": `${this.id}-names`,
      oninput: () => this.#changed({ offer: true }),
      onkeydown: (event) => this.#onKey(event),
      onblur: () => this.#closeList(),
      onclick: () => this.#offer(),
    });
    this.list = element("ul", { id: `${this.id}-names`, class: "names", role: "listbox", "aria-label": "People and the agent", hidden: true });
    this.hint = element("p", { class: "advice", hidden: true });
    this.problem = element("p", { class: "problem", role: "alert" });
    this.button = element("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send", disabled: true }, icon("M3 10 2.6 3.4a.5.5 0 0 1 .7-.5l14 6.6a.5.5 0 0 1 0 .9l-14 6.7a.5.5 0 0 1-.7-.5zM3 10h7"));
    const at = element("button", { type: "button", class: "icon-button", "aria-label": "Mention somebody", title: "Mention somebody", onclick: () => this.#typeAt() }, "@");
    this.picker = element("input", { type: "file", id: `${this.id}-files`, class: "visually-hidden", multiple: true, tabindex: "-1", "aria-label": "Files", onchange: () => this.#pick() });
    const attach = element("button", { type: "button", class: "icon-button", "aria-label": "Attach files", title: "Attach files", onclick: () => this.picker.click() }, icon("m15 9-5.2 5.2a3.2 3.2 0 0 1-4.5-4.5l5.8-5.8a2.2 2.2 0 0 1 3 3l-5.7 5.8a1 1 0 0 1-1.5-1.5L12 6.2"));
    this.chosenFiles = element("ul", { class: "chosen-files", "aria-label": "Files of the message" });
    const keys = element("span", { class: "keys" }, element("kbd", {}, "Enter"), " sends, ", element("kbd", {}, "Shift + Enter"), " new line");
    const form = element(
      "form",
      { class: "composer" },
      this.list,
      this.field,
      this.chosenFiles,
      this.picker,
      element("div", { class: "composer-tools" }, attach, at, keys, this.button),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    place.append(element("div", { class: "composer-place" }, this.problem, this.hint, form));
  }

  #changed({ offer = false } = {}) {
    const field = this.field;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, MAX_HEIGHT)}px`;
    this.button.disabled = this.isEmpty;
    if (this.key) sessionStorage.setItem(`draft:${this.key}`, field.value);
    const advice = !field.value.trim() ? null : this.advice(field.value);
    this.hint.hidden = !advice;
    if (advice) this.hint.replaceChildren(advice);
    if (offer) this.#offer();
  }

  #onKey(event) {
    if (event.isComposing) return;
    const isOpen = !this.list.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const step = event.key === "ArrowDown" ? 1 : this.matches.length - 1;
      this.chosen = (this.chosen + step) % this.matches.length;
      this.#showList();
    } else if (isOpen && (event.key === "Enter" || event.key === "Tab")) this.#insert(this.matches[this.chosen]);
    else if (isOpen && event.key === "Escape") this.#closeList();
    else if (event.key === "Enter" && !event.shiftKey) this.#submit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async #submit() {
    const { files } = this;
    const text = this.field.value;
    if (this.isEmpty || this.isSending) return;
    const key = this.key;
    this.isSending = true;
    try {
      await this.send(text, files);
      this.drafts.delete(key);
      sessionStorage.removeItem(`draft:${key}`);
      // What was typed or chosen while the message was on its way stays.
      if (this.key === key && this.field.value === text) this.field.value = "";
      if (this.key === key && this.files === files) this.#setFiles([]);
      this.problem.textContent = "";
    } catch (error) {
      this.problem.textContent = error.message;
    } finally {
      this.isSending = false;
      this.#changed();
    }
  }

  #pick() {
    this.#setFiles([...this.files, ...this.picker.files]);
    this.picker.value = ""; // the same file may be chosen again
    this.#changed();
    this.focus();
  }

  #setFiles(files) {
    this.files = files;
    const remove = (gone) => {
      this.#setFiles(this.files.filter((file) => file !== gone));
      this.#changed();
    };
    const items = files.map((file) => element("li", {}, file.name, element("button", { type: "button", class: "link", "aria-label": `Remove ${file.name}`, onclick: () => remove(file) }, "×")));
    this.chosenFiles.replaceChildren(...items);
  }

  #typeAt() {
    this.field.focus();
    const before = this.field.value.slice(0, this.field.selectionStart);
    this.field.setRangeText(!before || /\s$/.test(before) ? "@" : " @", this.field.selectionStart, this.field.selectionEnd, "end");
    this.#changed({ offer: true });
  }

  // --- names after an @ ---

  #typedName() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    return /(?:^|[\s(])@([\w.-]*)$/.exec(before)?.[1].toLowerCase();
  }

  #offer() {
    const typed = this.#typedName();
    const fits = (user) => [user.name, ...user.real_name.toLowerCase().split(/\W+/)].some((word) => word.startsWith(typed));
    this.matches = typed === undefined ? [] : this.names().filter(fits);
    // A name that stands there in full needs no list: Enter is to send.
    if (this.matches.length === 1 && this.matches[0].name === typed) this.matches = [];
    this.chosen = 0;
    if (this.matches.length) this.#showList();
    else this.#closeList();
  }

  #showList() {
    const options = this.matches.map((user, index) =>
      element(
        "li",
        {
          id: `${this.id}-name-${index}`,
          role: "option",
          "aria-selected": String(index === this.chosen),
          onmousedown: (event) => {
            event.preventDefault(); // the field keeps the focus
            this.#insert(user);
          },
        },
        avatar(user, "small"),
        element("strong", {}, user.name),
        element("span", {}, user.is_bot ? "answers in a thread" : user.real_name),
        user.is_bot ? element("span", { class: "badge" }, "APP") : null,
      ),
    );
    this.list.replaceChildren(...options);
    this.list.hidden = false;
    this.field.setAttribute("aria-activedescendant", `${this.id}-name-${this.chosen}`);
  }

  #closeList() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  #insert(user) {
    const end = this.field.selectionStart;
    const start = end - this.#typedName().length - 1;
    this.field.setRangeText(`@${user.name} `, start, end, "end");
    this.#closeList();
    this.#changed();
  }
}
