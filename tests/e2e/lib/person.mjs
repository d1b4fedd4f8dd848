// A person with a browser, scripted: follows redirects, keeps cookies, submits the first form of each page, until the
// provider sends them back to a callback. `cookies`: those of a browser that they have used before (a Map, which is added to). `account`: who they are. `stopAt`: the address of a callback that is not visited but given back.
const providerPages = /^\/(interaction\/|authorize$|sign-in$|consent$|session\/end$)/;

export async function signIn(location, { refuse = false, steps = 20, stopAt, account = 'ada', cookies = new Map() } = {}) {
  // host:port → Map(name → value)
  const jar = (url) => cookies.get(url.host) ?? cookies.set(url.host, new Map()).get(url.host);
  const trail = [];
  let url = new URL(location);
  let init = { method: 'GET' };
  for (let i = 0; i < steps; i++) {
    const cookie = [...jar(url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init, redirect: 'manual', headers: { accept: 'text/html', ...init.headers, ...(cookie && { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      jar(url).set(name, value.join('='));
    }
    trail.push({ url: url.origin + url.pathname, status: response.status });
    const next = response.headers.get('location');
    if (next) {
      await response.body?.cancel();
      url = new URL(next, url);
      if (stopAt && url.href.startsWith(stopAt)) return { callback: url.href, trail };
      init = { method: 'GET' };
      continue;
    }
    const body = await response.text();
    const forms = [...body.matchAll(/<form method="post" action="([^"]+)"/g)].map((m) => m[1]);
    if (!response.ok || forms.length === 0 || !providerPages.test(url.pathname))
      return { status: response.status, url: url.href, body, trail };
    url = new URL((refuse ? forms.at(-1) : forms[0]).replaceAll('&amp;', '&'), url);
    init = { method: 'POST', body: `account=${account}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  }
  throw new Error(`no end after ${steps} steps: ${JSON.stringify(trail)}`);
}
