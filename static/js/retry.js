// On the page that says the data cannot be reached: asks every ten seconds, and goes on once there is an answer.
const EVERY = 10_000; // milliseconds

setInterval(async () => {
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
    if (answer.status !== 503) location.replace(location.href);
  } catch {
    // Still away; the next turn asks again.
  }
}, EVERY);
