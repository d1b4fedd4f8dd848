// Requests as spans, for the exporter of traces.
#pragma once

#include "proxy/evidence/trace_exporter.hpp"
#include "proxy/relay/request_watch.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace reauth {

/// What workers tell of requests goes to `to`, on control's thread.
std::unique_ptr<request_tracer> make_request_tracer(asio::io_context& control,
                                                    std::shared_ptr<trace_exporter> to);

} // namespace reauth
