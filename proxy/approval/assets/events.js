// Reads an event stream with fetch: EventSource cannot send the Authorization header.
export async function readEvents(url, headers, onEvent) {
  const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) { const e = new Error("events"); e.status = answer.status; throw e; }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      let name = "message", data = "";
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        else if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) onEvent(name, JSON.parse(data));
    }
  }
}
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
