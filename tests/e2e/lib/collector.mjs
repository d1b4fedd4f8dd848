// A collector for OTLP over HTTP: what it takes is read by OpenTelemetry's own protobuf classes.
import { createServer } from 'node:http';
import root from '@opentelemetry/otlp-transformer/build/src/generated/root.js';
import { until } from './proxy.mjs';

const Export = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

/// OTLP's JSON has hexadecimal ids where protobuf's mapping has base64.
function asProtobuf(value, key) {
  if (Array.isArray(value)) return value.map((one) => asProtobuf(one));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, asProtobuf(v, k)]));
  return /^(traceId|spanId|parentSpanId)$/.test(key ?? '') ? Buffer.from(value, 'hex').toString('base64') : value;
}

const valueOf = (v) => v.stringValue ?? (v.intValue === undefined || v.intValue === null ? undefined : Number(v.intValue));

export async function startCollector() {
  const spans = [], headers = [], problems = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    headers.push(request.headers);
    if (status !== 200) { response.writeHead(status).end(); return; }
    try {
      if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/json') throw new Error(`${request.url} ${request.headers['content-type']}`);
      const json = JSON.parse(body);
      const wrong = Export.verify(Export.fromObject(asProtobuf(json)));
      if (wrong) throw new Error(wrong);
      const read = Export.toObject(Export.decode(Export.encode(Export.fromObject(asProtobuf(json))).finish()), { longs: Number });
      for (const resource of read.resourceSpans) for (const scope of resource.scopeSpans) for (const s of scope.spans) {
        spans.push({
          traceId: Buffer.from(s.traceId).toString('hex'), spanId: Buffer.from(s.spanId).toString('hex'),
          parent: Buffer.from(s.parentSpanId ?? []).toString('hex'), name: s.name, kind: s.kind, status: s.status?.code ?? 0,
          start: Number(s.startTimeUnixNano), end: Number(s.endTimeUnixNano), events: (s.events ?? []).map((e) => e.name),
          attributes: Object.fromEntries((s.attributes ?? []).map((a) => [a.key, valueOf(a.value)])),
          resource: Object.fromEntries(resource.resource.attributes.map((a) => [a.key, valueOf(a.value)])),
        });
      }
    } catch (error) { problems.push(String(error)); }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`, spans, headers, problems,
    answer: (with_) => { status = with_; },
    find: (which, what) => until(() => spans.find(which), { what }),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}
