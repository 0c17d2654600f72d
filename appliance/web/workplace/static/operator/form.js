// A form on the page: what is typed is kept at once in this browser and half a second later on
// the server, whose answer says what is doubtful. Nothing typed is lost, nothing is refused.

import { chosen } from "./combobox.js";
import { giveChoices, showAsked, showDoubts } from "./fields.js";
import { forgetLocally, keepLocally, keptLocally } from "./local.js";
import { PLACES } from "./places.js";
import { LinkLost, post } from "./server.js";

const WAIT = 500; // milliseconds without a key before the form is saved
const RETRY = 2000; // milliseconds between tries while the link is lost

const typedIn = (field) =>
  field.type === "radio" || field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : "defaultValue" in field && field.value !== field.defaultValue;

// The forms that other tabs of this browser register.
const tabs = new BroadcastChannel("forms");

// What the server had when it made the page.
const served = (element) =>
  Object.fromEntries(
    [...element.elements]
      .filter(({ name, type }) => name && name !== "csrf_token" && type !== "submit")
      .filter((field) => !["radio", "checkbox"].includes(field.type) || field.defaultChecked)
      .map((field) => [
        field.name,
        ["radio", "checkbox"].includes(field.type) ? field.value : (field.defaultValue ?? ""),
      ]),
  );

export class Form {
  #timer = 0;
  #saving = null; // the save under way
  #next = null; // the one that waits for it
  #aside = false; // whether that one puts the form aside
  #registering = false;
  #finished = false;
  #typedAt = -Infinity;

  constructor(element, { login, onTrouble, onSaved, onRegistered }) {
    Object.assign(this, { element, login, onTrouble, onSaved, onRegistered });
    this.token = element.dataset.token;
    this.shows = element.dataset.form;
    giveChoices(element, (input) => {
      delete input.closest("[data-known]")?.dataset.known;
      this.changed();
    });
    element.addEventListener("input", (event) => {
      delete event.target.closest("[data-known]")?.dataset.known;
      this.#typedAt = performance.now();
      this.changed();
    });
    element.addEventListener("focusout", () => this.#timer && this.save());
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.register();
    });
    for (const button of element.querySelectorAll("[data-silent]")) {
      button.addEventListener("click", () => this.register({ silent: button.dataset.silent }));
    }
    for (const button of element.querySelectorAll("[data-fill]")) {
      button.addEventListener("click", () => this.fill(JSON.parse(button.dataset.fill)));
    }
    this.base = served(element);
    tabs.addEventListener("message", ({ data }) => data.token === this.token && this.#end(data));
    const early = [...element.elements].some(typedIn); // before this script was loaded
    this.#restore();
    this.#layOut();
    if (early) this.changed();
    element.dataset.ready = "";
  }

  values() {
    const values = Object.fromEntries(new FormData(this.element));
    delete values.csrf_token;
    return values;
  }

  // The first field that is empty, in the form's order, of form №1 the first required one; the gist
  // when none is.
  get nextField() {
    const fields = [...this.element.querySelectorAll(this.shows === "1" ? "[data-field][data-empty]" : "[data-field]")];
    const inputs = fields.map((field) => field.querySelector("input:not([type=hidden]), textarea"));
    const open = inputs.find(
      (input) => input && !input.closest("[hidden]") && !this.element.elements[input.name].value,
    );
    return open ?? document.getElementById("f-gist");
  }

  // Milliseconds since the last letter was typed in it.
  get quietFor() {
    return performance.now() - this.#typedAt;
  }

  // Whether its call rings still, here or at a missed caller's: nothing is asked yet.
  get rings() {
    return ["ringing", "dialling"].includes(this.element.dataset.stage);
  }

  // Whether its call rang in vain and nothing was typed: such a form goes by itself.
  get isLeftOver() {
    return this.rings && !this.element.dataset.savedAt && !this.unsaved;
  }

  // Whether it holds nothing and has no call, so that closing it leaves nothing behind.
  get isNothing() {
    const { stage, savedAt } = this.element.dataset;
    return !stage && !savedAt && !this.unsaved;
  }

  // Whether something stands in the form that no server has acknowledged yet.
  get unsaved() {
    return !this.#finished && keptLocally(this.login, this.token) !== null;
  }

  changed() {
    this.#layOut();
    this.#keep();
    this.#saveIn(WAIT);
  }

  #keep() {
    const known = { savedAt: this.element.dataset.savedAt, base: this.base };
    keepLocally(this.login, this.token, this.values(), this.shows, known);
  }

  // Writes what is known of the caller into empty fields, and marks them until they are changed.
  fill(values) {
    const { elements } = this.element;
    const placed = PLACES.some((place) => elements[`${place}_text`]?.value);
    for (const [name, value] of Object.entries(values)) {
      if (!elements[name]) continue; // asked by the other form only
      const ofPlace = PLACES.includes(name.replace("_text", ""));
      const kept = elements[name].value && name !== "applicant_kind";
      if (kept || (ofPlace && placed) || elements[name].value === value) continue;
      elements[name].value = value;
      this.element.querySelector(`[name="${name}"]`).closest(".field").dataset.known = "";
    }
    document.getElementById("filled-note").hidden = false;
    this.changed();
    this.nextField.focus();
  }

  // Saves now; resolves to whether the server has it. One save at a time: what is asked for
  // meanwhile is one more, of the newest values, so that no older values overtake them.
  async save({ keepalive = false, aside = false } = {}) {
    this.#stopTimer();
    if (keepalive) return this.#send({ keepalive, aside });
    this.#aside ||= aside;
    this.#next ??= this.#afterThis();
    return this.#next;
  }

  async #afterThis() {
    await this.#saving;
    this.#next = null;
    if (this.#finished || this.#registering) return this.#finished;
    this.#saving = this.#send({ aside: this.#aside });
    this.#aside = false;
    return this.#saving;
  }

  async #send({ keepalive, aside }) {
    const values = this.values();
    const at = keptLocally(this.login, this.token)?.at; // when it was typed: what is typed while it is sent is newer
    try {
      const sent = { values, aside, form: this.shows, base: this.base, at };
      const answer = await post(this.element.dataset.save, sent, { keepalive });
      if (answer.status === 409) {
        this.#end(answer);
        return true;
      }
      this.base = { ...values, ...answer.elsewhere };
      this.#take(values, answer.elsewhere);
      forgetLocally(this.login, this.token, values);
      this.element.dataset.savedAt = answer.saved_at;
      if (this.element.isConnected) {
        showDoubts(this.element, answer);
        this.onSaved(answer);
      }
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  // What was typed in another tab comes into the fields that nobody has touched here since.
  #take(sent, elsewhere) {
    for (const [name, value] of Object.entries(elsewhere)) {
      const field = this.element.elements[name];
      if (!field || (this.values()[name] ?? "") !== (sent[name] ?? "")) continue;
      if (field.type === "checkbox") field.checked = Boolean(value);
      else field.value = value;
    }
    if (Object.keys(elsewhere).length) this.#layOut();
  }

  // Registers what the form holds; `more` says that nothing was said in the call, and why, or to which
  // appeal it is added. Resolves to why it could not be done, in words.
  async register(more = {}, action = this.element.action) {
    this.#stopTimer();
    this.#keep();
    const button = this.element.querySelector("[type=submit]");
    if (button.disabled) return "";
    button.disabled = true;
    this.#registering = true;
    await this.#saving;
    await chosen();
    try {
      const answer = await post(action, { values: this.values(), ...more });
      if (answer.trouble) {
        button.disabled = false;
        this.#registering = false;
        this.#saveIn(WAIT);
        return answer.trouble;
      }
      tabs.postMessage({ ...answer, token: this.token });
      this.#end(answer);
    } catch (error) {
      button.disabled = false;
      this.#registering = false;
      this.#failed(error);
    }
    return "";
  }

  #failed(error) {
    if (!this.element.isConnected) return; // this browser keeps it, and hands it over later
    this.onTrouble(error);
    if (error instanceof LinkLost) this.#saveIn(RETRY);
  }

  #end(answer) {
    if (this.#finished) return;
    this.#finished = true;
    forgetLocally(this.login, this.token);
    if (this.element.isConnected) this.onRegistered(answer);
  }

  #saveIn(milliseconds) {
    this.#stopTimer();
    this.#timer = setTimeout(() => this.save(), milliseconds);
  }

  #stopTimer() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #restore() {
    const kept = keptLocally(this.login, this.token);
    if (!kept) return;
    const overtaken = Date.parse(this.element.dataset.savedAt || 0) > kept.at;
    const own = [...this.element.elements].filter(({ name }) => !overtaken || this.#isAhead(name, kept));
    if (!own.length) {
      forgetLocally(this.login, this.token);
      return;
    }
    for (const field of own) {
      if (!field.name || field.name === "csrf_token") continue;
      if (!(field.name in kept.values) && kept.form !== this.shows) continue;
      const value = kept.values[field.name] ?? "";
      if (field.type === "radio" || field.type === "checkbox") field.checked = value === field.value;
      else field.value = value;
    }
    this.#keep();
    this.save();
  }

  // Whether what this browser keeps of a field never reached the server, where nobody has changed it since.
  #isAhead(name, { values, base }) {
    if (!base || !(name in values)) return false;
    return values[name] !== (base[name] ?? "") && (this.base[name] ?? "") === (base[name] ?? "");
  }

  #layOut() {
    showAsked(this.element);
    const { consultation } = this.element.elements;
    if (consultation) document.getElementById("consultation-more").hidden = !consultation.checked;
  }
}
