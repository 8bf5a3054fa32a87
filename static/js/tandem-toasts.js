// <tandem-toasts>: messages fade by themselves, except errors; a failed request of htmx says so.
const KEEP = 6000; // milliseconds; long enough to read two lines

customElements.define(
  "tandem-toasts",
  class extends HTMLElement {
    connectedCallback() {
      for (const note of this.children) this.time(note);
      this.addEventListener("click", (event) => {
        if (event.target.closest("[data-dismiss]")) event.target.closest(".toast-note").remove();
      });
      new MutationObserver((changes) => {
        for (const change of changes) for (const note of change.addedNodes) if (note.nodeType === 1) this.time(note);
      }).observe(this, { childList: true });
      document.addEventListener("htmx:responseError", () => this.say(this.dataset.failed, "error"));
      document.addEventListener("htmx:sendError", () => this.say(this.dataset.offline, "error"));
      document.addEventListener("tandem:say", (event) => this.say(event.detail.text, event.detail.level));
    }

    time(note) {
      if (note.dataset.level === "error" || note.dataset.level === "warning") return;
      let timer = setTimeout(() => note.remove(), KEEP);
      note.addEventListener("pointerenter", () => clearTimeout(timer));
      note.addEventListener("pointerleave", () => (timer = setTimeout(() => note.remove(), KEEP)));
    }

    say(text, level = "info") {
      const note = document.createElement("div");
      note.className = `toast-note toast-${level}`;
      note.dataset.level = level;
      const words = document.createElement("p");
      words.textContent = text;
      const close = document.createElement("button");
      close.type = "button";
      close.className = "icon-button";
      close.dataset.dismiss = "";
      close.setAttribute("aria-label", this.dataset.close);
      close.textContent = "×";
      note.append(words, close);
      this.append(note);
    }
  },
);
