// <tandem-board every="30" zone="Europe/Berlin">: fetches its own address every so many seconds and puts the new
// <main> in place of the old. While that fails the old stays, and it is said since when; a log-in page is gone to.
// On a screen that does not scroll (css/board.css) each list, `data-fit`, shows as many rows as it has room for, those
// that stand still before others, and says how many more there are; where the page scrolls, `data-few` of them.
const RETRY = 10_000; // milliseconds after a failure
const PATIENCE = 20_000; // milliseconds until an answer is given up
const DENSITIES = ["", "dense", "tight", "flat"]; // flat: as tight, without the names of lines
const URGENT = [".board-stop", ".board-watch", "*"];

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
      this.sizes = new ResizeObserver(() => this.fit());
      this.sizes.observe(this.querySelector("main"));
      document.fonts.ready.then(() => this.fit());
    }

    disconnectedCallback() {
      this.sizes.disconnect();
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

    fit() {
      const scrolls = getComputedStyle(this).overflowY !== "hidden";
      for (const part of this.querySelectorAll("[data-fit]")) {
        const rows = [...part.querySelectorAll("li")];
        if (scrolls) {
          this.dense(part, part.dataset.density);
          this.cut(part, rows, Number(part.dataset.few ?? rows.length));
          continue;
        }
        const rank = (row) => URGENT.findIndex((each) => row.matches(each));
        rows.sort((one, other) => rank(one) - rank(other));
        const fits = () => part.scrollHeight <= part.clientHeight;
        this.cut(part, rows, rows.length);
        for (const density of DENSITIES.slice(DENSITIES.indexOf(part.dataset.density ?? ""))) {
          if (part.dataset.density !== undefined) this.dense(part, density);
          if (fits()) break;
        }
        for (let shown = rows.length; shown > 0 && !fits(); shown--) this.cut(part, rows, shown - 1);
      }
    }

    dense(part, density) {
      for (const each of DENSITIES.slice(1)) part.classList.toggle(`board-${each}`, each === density);
      if (density === "flat") part.classList.add("board-tight");
    }

    cut(part, rows, shown) {
      rows.forEach((row, place) => { row.hidden = place >= shown; });
      for (const line of part.querySelectorAll(".board-line")) line.hidden = !line.querySelector("li:not([hidden])");
      const rest = Number(part.dataset.rest) + Math.max(0, rows.length - shown);
      const more = part.querySelector(".board-more");
      more.hidden = rest === 0;
      more.textContent = more.dataset.words.replace("{n}", rest);
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
      this.fit();
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
