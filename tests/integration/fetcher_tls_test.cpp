// TLS of the fetcher: whom it believes, and what it says when it does not.
#include "proxy/net/tls.hpp"
#include "tests/integration/certificate_files.hpp"
#include "tests/integration/fetcher_fixture.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

std::shared_ptr<asio::ssl::context> server_tls(const certificate_files& files) {
    auto made = make_server_tls({files.cert, files.key});
    REQUIRE(made.has_value());
    return *made;
}

fetch_options trusting(const certificate_files& files) {
    fetch_options options;
    options.ca_file = files.cert;
    return options;
}

} // namespace

TEST_CASE("a server with a certificate of the configured CA for its host is believed") {
    scratch_directory where;
    const certificate_files files(where, "right", "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:as.example");
    scripted_server server(always(answer_of(200, "{}")), server_tls(files));
    for (const auto* host : {"localhost", "127.0.0.1"})
        CHECK(fetched(get(server.url("/", host)), trusting(files)).has_value());
    auto options = trusting(files);
    options.trusted_hosts = {"as.example"};
    const auto named = fetched(get(server.url("/", "as.example")), options, resolves_to({"127.0.0.1"}));
    CHECK(named.has_value());
}

TEST_CASE("a certificate for another host is refused") {
    scratch_directory where;
    const certificate_files files(where, "other", "DNS:elsewhere.example,IP:127.0.0.2");
    scripted_server server(always(answer_of(200, "{}")), server_tls(files));
    const auto name = failed(fetched(get(server.url("/", "localhost")), trusting(files)));
    CHECK(name.code == fault::authorization_server_unavailable);
    CHECK(has(name.message, "ostname mismatch"));
    CHECK_FALSE(name.transient);
    CHECK(has(failed(fetched(get(server.url()), trusting(files))).message, "IP address mismatch"));
    CHECK(server.requests().empty());
}

TEST_CASE("a certificate that nobody vouches for is refused with the way out") {
    scratch_directory where;
    const certificate_files files(where, "unknown", "DNS:localhost,IP:127.0.0.1");
    scripted_server server(always(answer_of(200, "{}")), server_tls(files));
    const auto why = failed(fetched(get(server.url())));
    CHECK(has(why.message, "self-signed certificate"));
    CHECK(has(why.fix, "ca_file"));
    CHECK(server.requests().empty());
}

TEST_CASE("a server that does not speak TLS, or only an old one, is refused") {
    scratch_directory where;
    const certificate_files files(where, "right", "IP:127.0.0.1");
    scripted_server plain(always(answer_of(200, "{}")));
    const auto why =
        failed(fetched(get("https://127.0.0.1:" + std::to_string(plain.port()) + "/"), trusting(files)));
    CHECK(has(why.message, "no TLS connection"));
    auto old = server_tls(files);
    SSL_CTX_set_security_level(old->native_handle(), 0);
    SSL_CTX_set_min_proto_version(old->native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old->native_handle(), TLS1_1_VERSION);
    scripted_server outdated(always(answer_of(200, "{}")), old);
    CHECK(has(failed(fetched(get(outdated.url()), trusting(files))).message, "no TLS connection"));
}

TEST_CASE("a client certificate is presented, but not to where a redirect leads") {
    scratch_directory where;
    const certificate_files files(where, "right", "IP:127.0.0.1"), mine(where, "mine", "DNS:client");
    auto demanding = server_tls(files);
    demanding->load_verify_file(mine.cert);
    demanding->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    scripted_server elsewhere(always(answer_of(200, "{}")), demanding);
    scripted_server server(always(answer_of(302, "", "Location: " + elsewhere.url() + "\r\n")), demanding);
    auto options = trusting(files);
    for (const int most : {TLS1_2_VERSION, TLS1_3_VERSION}) { // before and after the handshake is over
        SSL_CTX_set_max_proto_version(demanding->native_handle(), most);
        const auto why = failed(fetched(get(elsewhere.url()), options));
        INFO(most << " " << why.describe());
        CHECK(has(why.fix, "client certificate"));
        CHECK_FALSE(why.transient);
    }
    options.client_cert = mine.cert;
    options.client_key = mine.key;
    CHECK(fetched(get(elsewhere.url()), options).has_value());
    CHECK(fetched(get(server.url()), options).has_error());
    CHECK(server.requests().size() == 1);
    CHECK(elsewhere.requests().size() == 1);
}

TEST_CASE("a redirect from https to http is refused") {
    scratch_directory where;
    const certificate_files files(where, "right", "IP:127.0.0.1");
    scripted_server plain(always(answer_of(200, "{}")));
    scripted_server server(always(answer_of(302, "", "Location: " + plain.url() + "\r\n")),
                           server_tls(files));
    const auto why = failed(fetched(get(server.url()), trusting(files)));
    CHECK(why.code == fault::egress_refused);
    CHECK(has(why.message, "from https to http"));
    CHECK(plain.requests().empty());
}

TEST_CASE("a body that is cut inside TLS is not taken for whole") {
    scratch_directory where;
    const certificate_files files(where, "right", "IP:127.0.0.1");
    scripted_server server(always("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), server_tls(files));
    CHECK(has(failed(fetched(get(server.url()), trusting(files))).message, "closed before"));
}

TEST_CASE("files that cannot be used are named with the reason") {
    scratch_directory where;
    const certificate_files one(where, "one", "DNS:a"), two(where, "two", "DNS:b");
    const auto missing = where.file("missing.pem"), garbage = where.file("garbage.pem");
    write_whole(garbage, "not a certificate");
    const auto told = [](const auto& made, const std::string& file) {
        REQUIRE(made.has_error());
        CHECK(made.error().code == fault::invalid_configuration);
        INFO(made.error().message);
        CHECK(has(made.error().message, file));
        CHECK_FALSE(has(made.error().message, "unknown reason"));
    };
    told(make_client_tls({missing, "", ""}), missing);
    told(make_client_tls({garbage, "", ""}), garbage);
    told(make_server_tls({missing, one.key}), missing);
    told(make_server_tls({one.cert, missing}), missing);
    told(make_server_tls({one.cert, two.key}), two.key);
    told(make_client_tls({"", one.cert, ""}), "tls.key");
    fetch_options options;
    options.ca_file = missing;
    CHECK(failed(fetched(get("https://127.0.0.1/"), options)).code == fault::invalid_configuration);
}

TEST_CASE("a replaced CA file is used without a restart") {
    scratch_directory where;
    const certificate_files right(where, "right", "IP:127.0.0.1"), wrong(where, "wrong", "IP:127.0.0.1");
    scripted_server server(always(answer_of(200, "{}")), server_tls(right));
    fetch_options options;
    options.ca_file = where.file("ca.pem");
    write_whole(options.ca_file, read_whole(wrong.cert));
    const std::filesystem::file_time_type earlier =
        std::filesystem::last_write_time(options.ca_file) - std::chrono::hours(1);
    std::filesystem::last_write_time(options.ca_file, earlier);
    asio::io_context context;
    http_fetcher f(context.get_executor(), {});
    std::optional<result<http_response>> before, after;
    asio::co_spawn(context, keep_answer(f, get(server.url()), options, before), [](std::exception_ptr) {});
    context.run();
    write_whole(options.ca_file, read_whole(right.cert));
    context.restart();
    asio::co_spawn(context, keep_answer(f, get(server.url()), options, after), [](std::exception_ptr) {});
    context.run();
    CHECK(before->has_error());
    CHECK(after->has_value());
}
