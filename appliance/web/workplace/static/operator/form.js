// A form on the page. Typed values are stored in this browser at once and on the server half a
// second later, whose answer lists doubtful values. No typed value is lost or refused.

import { choicesSettled } from "./combobox.js";
import { giveChoices, showAsked, showDoubts } from "./fields.js";
import { localCopy, removeLocalCopy, storeLocalCopy } from "./local.js";
import { PLACES } from "./places.js";
import { LinkLost, post } from "./server.js";

const SAVE_DELAY_MILLISECONDS = 500; // without a keystroke before the form is saved
const RETRY_MILLISECONDS = 2000; // between attempts while the connection is lost

const isChanged = (field) =>
  field.type === "radio" || field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : "defaultValue" in field && field.value !== field.defaultValue;

// Reports forms that other tabs of this browser register.
const tabs = new BroadcastChannel("forms");

// The values that the server had when it made the page.
const servedValues = (element) =>
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
  #saving = null; // the current save
  #next = null; // the save that waits for it
  #putsAside = false; // whether that save puts the form aside
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
    this.base = servedValues(element);
    tabs.addEventListener("message", ({ data }) => data.token === this.token && this.#finish(data));
    const isTypedEarly = [...element.elements].some(isChanged); // typed before this script was loaded
    this.#restoreLocalCopy();
    this.#updateLayout();
    if (isTypedEarly) this.changed();
    element.dataset.ready = "";
  }

  values() {
    const values = Object.fromEntries(new FormData(this.element));
    delete values.csrf_token;
    return values;
  }

  // The first empty field in the form's order (on form №1 the first empty required field), otherwise the gist.
  get nextField() {
    const fields = [...this.element.querySelectorAll(this.shows === "1" ? "[data-field][data-empty]" : "[data-field]")];
    const inputs = fields.map((field) => field.querySelector("input:not([type=hidden]), textarea"));
    const firstEmpty = inputs.find(
      (input) => input && !input.closest("[hidden]") && !this.element.elements[input.name].value,
    );
    return firstEmpty ?? document.getElementById("f-gist");
  }

  // Milliseconds since the last letter was typed in the form.
  get quietFor() {
    return performance.now() - this.#typedAt;
  }

  // Whether its call is still ringing, here or at a missed caller's phone: the conversation has not begun.
  get rings() {
    return ["ringing", "dialling"].includes(this.element.dataset.stage);
  }

  // Whether its call was not answered and nothing was typed: such a form is closed automatically.
  get isLeftOver() {
    return this.rings && !this.element.dataset.savedAt && !this.unsaved;
  }

  // Whether it is empty and has no call, so that closing it leaves nothing behind.
  get isNothing() {
    const { stage, savedAt } = this.element.dataset;
    return !stage && !savedAt && !this.unsaved;
  }

  // Whether the form has values that the server has not acknowledged yet.
  get unsaved() {
    return !this.#finished && localCopy(this.login, this.token) !== null;
  }

  changed() {
    this.#updateLayout();
    this.#storeLocally();
    this.#scheduleSave(SAVE_DELAY_MILLISECONDS);
  }

  #storeLocally() {
    const serverCopy = { savedAt: this.element.dataset.savedAt, base: this.base };
    storeLocalCopy(this.login, this.token, this.values(), this.shows, serverCopy);
  }

  // Writes known data of the caller into empty fields, and marks these until they are changed.
  fill(values) {
    const { elements } = this.element;
    const hasPlace = PLACES.some((place) => elements[`${place}_text`]?.value);
    for (const [name, value] of Object.entries(values)) {
      if (!elements[name]) continue; // asked on the other form only
      const isPlace = PLACES.includes(name.replace("_text", ""));
      const isFilled = elements[name].value && name !== "applicant_kind";
      if (isFilled || (isPlace && hasPlace) || elements[name].value === value) continue;
      elements[name].value = value;
      this.element.querySelector(`[name="${name}"]`).closest(".field").dataset.known = "";
    }
    document.getElementById("filled-note").hidden = false;
    this.changed();
    this.nextField.focus();
  }

  // Saves now; resolves to whether the server has stored the form. Saves run one at a time:
  // requests made during a save become one more save, of the newest values, so that older
  // values never overwrite newer ones.
  async save({ keepalive = false, aside = false } = {}) {
    this.#stopTimer();
    if (keepalive) return this.#send({ keepalive, aside });
    this.#putsAside ||= aside;
    this.#next ??= this.#sendNext();
    return this.#next;
  }

  async #sendNext() {
    await this.#saving;
    this.#next = null;
    if (this.#finished || this.#registering) return this.#finished;
    this.#saving = this.#send({ aside: this.#putsAside });
    this.#putsAside = false;
    return this.#saving;
  }

  async #send({ keepalive, aside }) {
    const values = this.values();
    const at = localCopy(this.login, this.token)?.at; // time of typing: later input is newer
    try {
      const payload = { values, aside, form: this.shows, base: this.base, at };
      const answer = await post(this.element.dataset.save, payload, { keepalive });
      if (answer.status === 409) {
        this.#finish(answer);
        return true;
      }
      this.base = { ...values, ...answer.elsewhere };
      this.#adopt(values, answer.elsewhere);
      removeLocalCopy(this.login, this.token, values);
      this.element.dataset.savedAt = answer.saved_at;
      if (this.element.isConnected) {
        showDoubts(this.element, answer);
        this.onSaved(answer);
      }
      return true;
    } catch (error) {
      this.#reportError(error);
      return false;
    }
  }

  // Takes over values that were typed in another tab into fields that have not been changed here since.
  #adopt(sent, elsewhere) {
    for (const [name, value] of Object.entries(elsewhere)) {
      const field = this.element.elements[name];
      if (!field || (this.values()[name] ?? "") !== (sent[name] ?? "")) continue;
      if (field.type === "checkbox") field.checked = Boolean(value);
      else field.value = value;
    }
    if (Object.keys(elsewhere).length) this.#updateLayout();
  }

  // Registers the form's values. `more`: why nothing was said in the call, or the appeal to
  // which the values are added. Resolves to the error message, "" on success.
  async register(more = {}, action = this.element.action) {
    this.#stopTimer();
    this.#storeLocally();
    const button = this.element.querySelector("[type=submit]");
    if (button.disabled) return "";
    button.disabled = true;
    this.#registering = true;
    await this.#saving;
    await choicesSettled();
    try {
      const answer = await post(action, { values: this.values(), ...more });
      if (answer.trouble) {
        button.disabled = false;
        this.#registering = false;
        this.#scheduleSave(SAVE_DELAY_MILLISECONDS);
        return answer.trouble;
      }
      tabs.postMessage({ ...answer, token: this.token });
      this.#finish(answer);
    } catch (error) {
      button.disabled = false;
      this.#registering = false;
      this.#reportError(error);
    }
    return "";
  }

  #reportError(error) {
    if (!this.element.isConnected) return; // this browser stores the values and sends them to the server later
    this.onTrouble(error);
    if (error instanceof LinkLost) this.#scheduleSave(RETRY_MILLISECONDS);
  }

  #finish(answer) {
    if (this.#finished) return;
    this.#finished = true;
    removeLocalCopy(this.login, this.token);
    if (this.element.isConnected) this.onRegistered(answer);
  }

  #scheduleSave(milliseconds) {
    this.#stopTimer();
    this.#timer = setTimeout(() => this.save(), milliseconds);
  }

  #stopTimer() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #restoreLocalCopy() {
    const copy = localCopy(this.login, this.token);
    if (!copy) return;
    const isOvertaken = Date.parse(this.element.dataset.savedAt || 0) > copy.at;
    const fields = [...this.element.elements].filter(({ name }) => !isOvertaken || this.#isUnsent(name, copy));
    if (!fields.length) {
      removeLocalCopy(this.login, this.token);
      return;
    }
    for (const field of fields) {
      if (!field.name || field.name === "csrf_token") continue;
      if (!(field.name in copy.values) && copy.form !== this.shows) continue;
      const value = copy.values[field.name] ?? "";
      if (field.type === "radio" || field.type === "checkbox") field.checked = value === field.value;
      else field.value = value;
    }
    this.#storeLocally();
    this.save();
  }

  // Whether this browser's value of a field never reached the server, and nobody has changed
  // the server's value since.
  #isUnsent(name, { values, base }) {
    if (!base || !(name in values)) return false;
    return values[name] !== (base[name] ?? "") && (this.base[name] ?? "") === (base[name] ?? "");
  }

  #updateLayout() {
    showAsked(this.element);
    const { consultation } = this.element.elements;
    if (consultation) document.getElementById("consultation-more").hidden = !consultation.checked;
  }
}
