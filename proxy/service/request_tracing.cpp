// Told on a worker, exported on control.
#include "proxy/service/request_tracing.hpp"

#include <boost/asio/post.hpp>

namespace reauth {
namespace {

/// By the conventions for MCP (gen-ai/mcp) and HTTP.
span span_of(const request_span& r) {
    span s;
    s.trace_id = r.context.trace_id;
    s.id = r.context.span_id;
    s.parent = r.parent;
    s.kind = span_kind::server;
    s.name = r.method.empty() ? r.http_method : r.method + (r.tool.empty() ? "" : " " + r.tool);
    s.began = r.began;
    s.ended = r.ended;
    s.attributes = {{"mcp.method.name", r.method},
                    {"gen_ai.tool.name", r.tool},
                    {"gen_ai.operation.name", r.tool.empty() ? "" : "execute_tool"},
                    {"jsonrpc.request.id", r.request_id},
                    {"mcp.session.id", r.session},
                    {"http.request.method", r.http_method},
                    {"mcp_reauth.upstream", r.upstream},
                    {"mcp_reauth.principal", r.principal},
                    {"mcp_reauth.recovery", r.recovery}};
    if (r.status > 0)
        s.numbers.emplace_back("http.response.status_code", r.status);
    s.numbers.emplace_back("mcp_reauth.recoveries", r.recoveries);
    if (r.failed)
        s.error = to_string(*r.failed);
    else if (r.status >= 500)
        s.error = std::to_string(r.status);
    if (!s.error.empty())
        s.attributes.emplace_back("error.type", s.error);
    return s;
}

class posted_tracer final : public request_tracer {
public:
    posted_tracer(asio::io_context& control, std::shared_ptr<trace_exporter> to)
        : control_(control), to_(std::move(to)) {}
    void request(request_span r) override {
        asio::post(control_, [to = to_, r = std::move(r)] { to->add(span_of(r)); });
    }

private:
    asio::io_context& control_;
    std::shared_ptr<trace_exporter> to_;
};

} // namespace

std::unique_ptr<request_tracer> make_request_tracer(asio::io_context& control,
                                                    std::shared_ptr<trace_exporter> to) {
    return std::make_unique<posted_tracer>(control, std::move(to));
}

} // namespace reauth
