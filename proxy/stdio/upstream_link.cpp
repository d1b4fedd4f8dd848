// A socket pair: one end is the data path's, the other speaks HTTP here.
#include "proxy/stdio/upstream_link.hpp"

#include "core/content_coding.hpp"

namespace reauth {
upstream_link::upstream_link(executor ex, connector connect, std::string path)
    : ex_(ex), connect_(std::move(connect)) {
    url_.scheme = "http";
    url_.host = "localhost";
    url_.port = 80;
    url_.path = std::move(path);
}

std::shared_ptr<client_run> upstream_link::begin() const {
    return std::make_shared<client_run>(ex_, no_deadline);
}

task<result<std::unique_ptr<http_stream>>>
upstream_link::open(std::shared_ptr<client_run> run, http_request request, std::string target) const {
    const auto descriptor = connect_();
    if (!descriptor)
        co_return descriptor.error();
    run->socket = std::make_shared<client_socket>(ex_);
    error_code failed;
    run->socket->assign(asio::generic::stream_protocol(AF_UNIX, 0), *descriptor, failed);
    if (failed)
        co_return unreachable_failure("no way to the proxy itself: " + failed.message());
    auto url = url_;
    if (!target.empty()) {
        const auto mark = target.find('?');
        url.has_query = mark != std::string::npos;
        url.query = url.has_query ? target.substr(mark + 1) : std::string();
        url.path = target.substr(0, mark);
    }
    auto sound = check_request(request);
    if (!sound)
        co_return sound.error();
    co_return co_await begin_exchange(std::move(run), std::move(request), std::move(url), nullptr);
}

task<result<std::string>> read_whole(http_stream& answer, std::size_t cap) {
    auto decoder = content_decoder::create(content_codings(answer.head().headers));
    if (!decoder)
        co_return decoder.error();
    std::string body;
    for (;;) {
        auto piece = co_await answer.read(no_deadline);
        if (!piece)
            co_return piece.error();
        if (piece->empty())
            break;
        auto fed = decoder->feed(*piece, body, cap);
        if (!fed)
            co_return fed.error();
    }
    auto ended = decoder->finish();
    if (!ended)
        co_return ended.error();
    co_return body;
}

} // namespace reauth
