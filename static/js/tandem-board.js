// <tandem-board every="30" zone="Europe/Berlin">: fetches its own address every so many seconds and puts the new
// <main> in place of the old. While that fails the old stays, and it is said since when; a log-in page is gone to.
const RETRY = 10_000; // milliseconds after a failure
const PATIENCE = 20_000; // milliseconds until an answer is given up

customElements.define(
  "tandem-board",
  class extends HTMLElement {
    connectedCallback() {
      this.every = Number(this.getAttribute("every")) * 1000;
      this.hours = new Intl.DateTimeFormat(document.documentElement.lang, {
        timeZone: this.getAttribute("zone"), hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      });
      this.known = new Date();
      this.tick = setInterval(() => this.clock(), 1000);
      this.wake = () => document.visibilityState === "visible" && Date.now() - this.known > this.every && this.plan(0);
      document.addEventListener("visibilitychange", this.wake);
      this.plan(this.every);
    }

    disconnectedCallback() {
      clearInterval(this.tick);
      clearTimeout(this.timer);
      document.removeEventListener("visibilitychange", this.wake);
    }

    plan(delay) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.refresh(), delay);
    }

    clock() {
      const now = new Date();
      const clock = this.querySelector(".board-clock");
      clock.textContent = this.hours.format(now);
      clock.dateTime = now.toISOString();
    }

    async refresh() {
      try {
        const answer = await fetch(location.href, {
          cache: "no-store", headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE),
        });
        if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
          location.assign(answer.url);
          return;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = answer.ok && page.querySelector("tandem-board main");
        if (!fresh) throw new Error(`answered ${answer.status}`);
        this.show(fresh);
        this.plan(this.every);
      } catch {
        this.stale();
        this.plan(RETRY);
      }
    }

    show(fresh) {
      const main = this.querySelector("main");
      const here = main.contains(document.activeElement) && document.activeElement.getAttribute("href");
      const { scrollX, scrollY } = window;
      main.replaceChildren(...fresh.childNodes);
      if (here) main.querySelector(`a[href=${JSON.stringify(here)}]`)?.focus({ preventScroll: true });
      window.scrollTo(scrollX, scrollY);
      this.known = new Date();
      this.querySelector(".board-stale").textContent = "";
      this.classList.remove("is-stale");
    }

    stale() {
      const words = this.dataset.stale.replace("{time}", this.hours.format(this.known));
      const said = this.querySelector(".board-stale");
      if (said.textContent !== words) said.textContent = words;
      this.classList.add("is-stale");
    }
  },
);
