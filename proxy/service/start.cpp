// A start, step by step in order of dependence; the first that fails ends it.
#include "proxy/service/runtime_parts.hpp"

#include "conf/load.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/random.hpp"
#include "core/text/encoding.hpp"
#include "proxy/approval/operator_token.hpp"
#include "proxy/log/log.hpp"
#include "proxy/service/request_tracing.hpp"
#include "proxy/vault/seal.hpp"

#include <boost/asio/post.hpp>

#include <csignal>

namespace reauth {

/// What is read from disk: the operator's token, the vault, certificates, egress rules.
result<void> server::parts::open_state(const random_source& random) {
    auto loaded = load_operator_token(settings->approval, settings->state_directory, random, true);
    if (!loaded)
        return loaded.error();
    token = std::move(*loaded);
    // the one secret that all replicas have
    shared.endpoint_key = secret(hmac_sha256(token.reveal(), "endpoints of HTTP+SSE"));
    auto opened = open_vault(settings->vault);
    if (!opened)
        return opened.error();
    records = std::move(*opened);
    store = std::make_unique<credential_store>(*records);
    auto rules = egress_rules::parse(settings->egress.allow);
    if (!rules)
        return rules.error();
    network = std::make_unique<http_fetcher>(control.get_executor(), std::move(*rules), settings->outbound);
    if (settings->tls) {
        std::string client_ca;
        for (const auto& e : settings->client_auth)
            if (e.proof == caller_proof::mtls)
                client_ca = e.mtls.ca_file;
        auto made = make_server_tls(*settings->tls, client_ca);
        if (!made)
            return made.error();
        tls = *made;
    }
    if (settings->approval.tls) {
        auto made = make_server_tls(*settings->approval.tls);
        if (!made)
            return made.error();
        approval_tls = *made;
    }
    return {};
}

/// Before anything can happen that belongs there.
result<void> server::parts::open_audit(const random_source& random) {
    if (settings->audit.file.empty())
        return {};
    // first: what stood there before nobody may have cut
    const auto heads = store->audit_heads();
    auto opened = audit_log::open(settings->audit, random_token(random, 6),
                                  [this](const audit_head& head) { recovery->audit().written(head); });
    if (!opened)
        return opened.error();
    audit = std::move(*opened);
    const auto there = audit->state().head;
    for (const auto& text : heads ? *heads : std::vector<std::string>())
        if (const auto head = audit_head::parse(text);
            head && head->log == there.log &&
            (head->seq > there.seq || (head->seq == there.seq && head->hash != there.hash))) {
            log_event(log_level::error, "audit",
                      {{"message", "the audit " + settings->audit.file + " was cut or changed: line " +
                                       std::to_string(head->seq) + " had been written"}});
            audit->write({wall_clock::now(), "broken", {{"expected", text}}, true});
        }
    recovery->audit().use(audit.get(), settings->audit.required);
    tell_configuration("start");
    return {};
}

void server::parts::open_traces(const random_source& random) {
    if (!settings->trace.enabled())
        return;
    traces = std::make_shared<trace_exporter>(control.get_executor(), settings->trace,
                                              random_token(random, 9), REAUTH_VERSION);
    tracer = make_request_tracer(control, traces);
    shared.tracer = tracer.get();
    recovery->kept().on_closed([this](const timeline& t) { traces->add(t); });
}

/// What is in force from now on, so that whoever reads the audit knows by which rules it was decided.
void server::parts::tell_configuration(const char* event) {
    recovery->audit().say(event,
                          {{"version", REAUTH_VERSION},
                           {"file", settings->file},
                           {"rules", std::to_string(settings->policy.rules.size())},
                           {"policy_sha256", hex_encode(sha256(to_yaml(settings->policy)))},
                           {"upstreams", std::to_string(settings->upstreams.size())},
                           {"public_key", audit ? audit->state().public_text : std::string()}},
                          true);
}

/// Recovery and the workers that it publishes credentials to.
result<void> server::parts::make_workers(const random_source& random) {
    book = std::make_unique<approvals>(settings->approval.public_url);
    const flow_environment env{[] { return wall_clock::now(); }, random};
    auto publish = [this](credential_number number, snapshot_ptr snapshot) {
        for (auto& w : workers)
            w->post([&w = *w, number, snapshot] { w.publish(number, snapshot); });
    };
    recovery = std::make_unique<credential_manager>(control, *network, *store, *book, env, publish);
    if (auto opened = open_audit(random); !opened)
        return opened;
    open_traces(random);
    recovery->on_forgotten([this](std::vector<std::uint32_t> principals) {
        const auto all = std::make_shared<const std::vector<std::uint32_t>>(std::move(principals));
        for (auto& w : workers)
            w->post([&w = *w, all] { w.forget(*all); });
    });
    // the one secret that all replicas have: any of them knows who has signed in to the page
    if (auto seals = sealer::from_material(secret(hmac_sha256(token.reveal(), "sessions at the page")))) {
        static constexpr std::string_view bound = "session";
        recovery->people().use(
            {[seals = *seals](const std::string& text) {
                 const auto sealed = seals.seal(text, bound);
                 return sealed ? base64url_encode(*sealed) : std::string();
             },
             [seals = *seals](const std::string& text) -> std::optional<std::string> {
                 const auto sealed = base64url_decode(text);
                 const auto opened = sealed ? seals.unseal(*sealed, bound) : result<secret>(failure());
                 return opened ? std::optional(std::string(opened->reveal())) : std::nullopt;
             }});
    }
    recovery->identities().on_end([this](const identity_end& what, auto found) {
        for (auto& w : workers)
            w->post([this, &w = *w, what, found] {
                asio::post(control, [found, names = w.end(what)] { found(names); });
            });
    });
    auto environment = process_inputs().environment;
    const auto desktop = desktop_of_this_process(environment);
    caller = std::make_unique<notifier>(control.get_executor(), *book, std::move(environment), desktop);
    recovery->on_announce(
        [this](const approval& a, const config& now) { caller->call_for(a, now, wall_clock::now()); });
    auto count = settings->workers ? settings->workers : std::max(1u, std::thread::hardware_concurrency());
    if (role == server_role::bridged)
        count = 1; // one client
    for (unsigned i = 0; i < count; ++i)
        workers.push_back(
            std::make_unique<worker>(i, recovery->requests(), shared, control.get_executor(), random));
    auto made = routes_for(settings);
    if (!made)
        return made.error();
    table = *made;
    auto started = recovery->start(table);
    if (!started)
        return started.error();
    for (auto& w : workers) {
        w->use(table);
        w->callers.use(recovery->identities().all());
    }
    return {};
}

result<std::uint16_t> server::parts::open_listener(const endpoint_config& where, bool dedicated) {
    listener_identity identity;
    identity.address = where.to_string();
    identity.dedicated = dedicated;
    identity.loopback = where.loopback();
    std::vector<worker*> all;
    for (auto& w : workers)
        all.push_back(w.get());
    auto& made = listeners.emplace_back(std::make_unique<listener>(std::move(all), std::move(identity), tls));
    return made->open(where);
}

std::vector<metric> server::parts::measured() {
    const auto since = std::chrono::duration<double>(started.time_since_epoch()).count();
    return collect_metrics(*recovery, *book, workers, shared, {audit.get(), traces.get(), since});
}

/// A line for each part that is not ready: its name, and what is wrong.
std::string server::parts::not_ready() {
    std::string out;
    const auto tell = [&](const char* part, const std::string& trouble) {
        if (!trouble.empty())
            out += (out.empty() ? "" : "\n") + std::string(part) + ": " + trouble;
    };
    if (const auto& trouble = recovery->vault_trouble())
        tell("vault", trouble->describe());
    std::string names;
    for (const auto& name : recovery->unsaved())
        names += (names.empty() ? "" : ", ") + name;
    if (!names.empty())
        tell("credentials", "the vault can't store the credential of " + names +
                                ": it is used from memory, and lost if this process ends now");
    if (audit)
        tell("audit", audit->state().trouble);
    return out;
}

result<void> server::parts::open_metrics() {
    if (!settings->metrics)
        return {};
    metrics = std::make_unique<metrics_listener>(
        control.get_executor(), [this] { return measured(); }, [this] { return not_ready(); });
    auto bound = metrics->listen(*settings->metrics, settings->allowed_hosts);
    if (!bound)
        return bound.error();
    metrics_port = *bound;
    return {};
}

result<void> server::parts::open_listeners() {
    auto bound = open_listener(settings->listen, false);
    if (!bound)
        return bound.error();
    port = *bound;
    for (const auto& u : settings->upstreams) {
        if (!u.listen)
            continue;
        bound = open_listener(*u.listen, true);
        if (!bound)
            return bound.error();
    }
    return open_metrics();
}

result<void> server::start() {
    auto& p = *parts_;
    std::signal(SIGPIPE, SIG_IGN);
    const auto random = system_random();
    auto done = p.open_state(random);
    p.claim_page();
    if (done)
        done = p.make_workers(random);
    if (done)
        done = p.open_page(random);
    if (done && p.role == server_role::listening)
        done = p.open_listeners();
    if (!done)
        return done;
    p.running = true;
    p.control_thread = std::thread([&p] { p.control.run(); });
    for (auto& w : p.workers)
        w->start();
    p.run_bridges();
    return {};
}

} // namespace reauth
