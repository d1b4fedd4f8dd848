// `client_auth`: who may call, and what shows it.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

using namespace std::chrono_literals;

namespace {

bool visible(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void read_bearer(section& s, client_auth_entry& e) {
    s.text("principal", e.principal);
    if (!visible(e.principal, 128))
        s.error("principal", "must be 1 to 128 visible ASCII characters without spaces.");
    e.bearer = s.token_value("bearer").value;
    if (!e.bearer.empty() && e.bearer.size() < 16)
        s.warning("bearer", "is shorter than 16 characters; make one with `openssl rand -hex 32`.");
}

void read_algorithms(section& s, jwt_caller_config& out) {
    const std::vector<std::string> known{"RS256", "PS256", "ES256", "EdDSA"};
    std::vector<std::string> wanted;
    for (auto& a : s.texts("algorithms", {key_kind::list, known})) {
        if (std::find(known.begin(), known.end(), a.text) == known.end())
            s.error("algorithms",
                    "must be " + one_of(known) + ", not '" + clean_text(a.text, 60) +
                        "': unsigned tokens, and those that are signed with a shared secret, are "
                        "never taken.");
        wanted.push_back(std::move(a.text));
    }
    if (!wanted.empty())
        out.algorithms = std::move(wanted);
}

jwt_caller_config read_jwt(section s) {
    jwt_caller_config out;
    read_issuer(s, out.issuer);
    s.require("issuer", "the exact `iss` of the tokens.");
    for (auto& a : s.texts("audience"))
        out.audience.push_back(std::move(a.text));
    s.require("audience", "what `aud` of a token for us says; a token for anybody else is refused.");
    s.text("jwks_uri", out.jwks_uri);
    if (!out.jwks_uri.empty())
        if (auto url = parse_secure_url(out.jwks_uri, "jwks_uri"); !url)
            s.error("jwks_uri", "is not usable: " + url.error().message);
    read_algorithms(s, out);
    s.text("principal", out.principal);
    s.text("groups", out.groups);
    for (auto& scope : s.texts("scopes")) {
        if (valid_scope_token(scope.text))
            out.scopes.add(scope.text);
        else
            s.error("scopes",
                    "holds '" + clean_text(scope.text, 60) + "', which is not a scope (RFC 6749 §3.3).");
    }
    s.duration("leeway", out.leeway, 0ms);
    if (out.leeway > 5min)
        s.error("leeway", "is more than 5m: no clock that is kept is so far off.");
    s.readable_file("ca_file", out.ca_file);
    s.finish();
    return out;
}

mtls_caller_config read_mtls(section s) {
    mtls_caller_config out;
    s.readable_file("ca_file", out.ca_file);
    s.require("ca_file", "the authorities whose client certificates are taken.");
    s.choice<certificate_name>(
        "principal", out.principal,
        {{"uri", certificate_name::uri}, {"cn", certificate_name::cn}, {"email", certificate_name::email}});
    s.finish();
    return out;
}

void read_field(section& s, std::string_view key, std::string& out) {
    s.text(key, out);
    if (out.empty())
        return;
    if (!is_http_token(out))
        s.error(key, "is '" + clean_text(out, 60) + "', which cannot be a header name.");
    else if (is_own_header(ascii_lower(out)) || ascii_lower(out) == "authorization")
        s.error(key, "must not be " + out + ": it has a meaning of its own.");
}

header_caller_config read_header(section s) {
    header_caller_config out;
    read_field(s, "name", out.name);
    s.require("name", "the header field in which the gateway says who calls.");
    read_field(s, "groups", out.groups);
    auto proof = s.sub("secret");
    read_field(proof, "name", out.secret_name);
    out.secret_value = proof.token_value("value").value;
    if (proof.present()) {
        proof.require("name", "the header field in which the gateway sends the secret.");
        proof.require("value", "the secret that the gateway sends, and nobody else knows.");
    }
    if (!out.secret_value.empty() && out.secret_value.size() < 16)
        proof.error("value", "is shorter than 16 characters; make one with `openssl rand -hex 32`.");
    proof.finish();
    s.finish();
    return out;
}

client_auth_entry read_entry(section s, bool describing) {
    client_auth_entry e;
    constexpr std::pair<std::string_view, caller_proof> kinds[] = {{"bearer", caller_proof::bearer},
                                                                   {"jwt", caller_proof::jwt},
                                                                   {"mtls", caller_proof::mtls},
                                                                   {"header", caller_proof::header}};
    unsigned given = 0;
    for (const auto& [key, proof] : kinds)
        if (s.has(key)) {
            e.proof = proof;
            ++given;
        }
    if (given > 1)
        s.error("bearer",
                "stands beside another kind: give each of bearer, jwt, mtls and header an entry of its "
                "own.");
    else if (given == 0)
        s.require("bearer", "say what the client presents: bearer, jwt, mtls or header.");
    s.text("name", e.name);
    if (describing || !e.open())
        read_bearer(s, e);
    else if (s.has("principal"))
        s.error("principal", "is for a bearer: the token, certificate or gateway names the principal here.");
    if (describing || e.proof == caller_proof::jwt)
        e.jwt = read_jwt(s.sub("jwt"));
    if (describing || e.proof == caller_proof::mtls)
        e.mtls = read_mtls(s.sub("mtls"));
    if (describing || e.proof == caller_proof::header)
        e.header = read_header(s.sub("header"));
    const bool named = s.has("name");
    if (named && !e.open())
        s.error("name", "is not for a bearer, which has a principal.");
    else if (named && (!visible(e.name, 64) || e.name.find_first_of("/ %") != e.name.npos))
        s.error("name", "must be 1 to 64 visible ASCII characters without '/' and '%'.");
    if (e.open() && e.name.empty())
        e.name = e.proof == caller_proof::jwt    ? host_of(e.jwt.issuer)
                 : e.proof == caller_proof::mtls ? "mtls"
                                                 : "gateway";
    s.finish();
    return e;
}

/// What is wrong with two entries beside each other; empty: nothing.
std::string clash(const client_auth_entry& a, const client_auth_entry& b) {
    const auto shown = clean_text(b.open() ? b.name : b.principal, 60);
    if (a.proof == caller_proof::mtls && b.proof == caller_proof::mtls)
        return "there are two `mtls`; put all authorities into one ca_file.";
    if (a.open() && b.open() && a.name == b.name)
        return "two entries would name their principals '" + shown + "/…'; give one a `name` of its own.";
    if (a.open() != b.open()) {
        const auto& open = a.open() ? a : b;
        const auto& one = a.open() ? b : a;
        if (one.principal.starts_with(open.name + "/"))
            return "the principal '" + clean_text(one.principal, 60) + "' could be one of '" +
                   clean_text(open.name, 60) + "/…'; call it otherwise.";
    }
    if (a.open() || b.open())
        return {};
    if (a.principal == b.principal)
        return "the principal '" + shown + "' is here twice.";
    if (!a.bearer.empty() && a.bearer == b.bearer)
        return "two principals have the same bearer; each needs its own.";
    return {};
}

} // namespace

void read_client_auth(section& top, reading& r, config& out) {
    for (auto& s : top.sequence("client_auth", key_kind::one_or_more)) {
        const auto at = s.at();
        auto entry = read_entry(std::move(s), r.describing());
        for (const auto& other : out.client_auth)
            if (const auto wrong = clash(other, entry); !wrong.empty())
                r.problems.error(at, "client_auth: " + wrong);
        out.client_auth.push_back(std::move(entry));
    }
    if (out.client_auth.empty() && top.has("client_auth") && !r.describing())
        top.error("client_auth", "is an empty list; name at least one client or remove the key.");
}

} // namespace reauth
