// Which upstream is meant, and the headers of the command line.
#include "conf/stdio_config.hpp"

#include "conf/accounts.hpp"
#include "conf/problems.hpp"
#include "conf/values.hpp"
#include "core/http/http_field.hpp"
#include "core/oauth/token_form.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {
namespace {

failure wrong(std::string message, std::string fix = {}) {
    return failure::permanent(fault::invalid_configuration, std::move(message), std::move(fix));
}

/// Two spellings of one address.
bool same_url(std::string_view a, std::string_view b) {
    const auto x = parse_http_url(a), y = parse_http_url(b);
    return x && y && x->origin() == y->origin() && x->target() == y->target();
}

failure no_such_upstream(const std::string& name, const std::vector<std::string>& names, const config& c) {
    return wrong("there is no upstream '" + clean_text(name, 60) + "' in " + c.file +
                     did_you_mean(name, names),
                 "give the name of an upstream, or a URL like https://api.example.com/mcp");
}

/// What an Authorization field holds: a scheme that we know and its token, or a bare value.
result<void> set_token(std::string_view value, upstream_config& u) {
    u.token_type = token_form::none;
    for (const auto form : {token_form::bearer, token_form::basic, token_form::token}) {
        const auto scheme = to_string(form);
        if (!iequals(value.substr(0, scheme.size()), scheme) || !value.substr(scheme.size()).starts_with(' '))
            continue;
        u.token_type = form;
        value = trim_space(value.substr(scheme.size()));
        break;
    }
    if (value.empty())
        return wrong("--header Authorization holds no token", "leave it out to sign in");
    if (value.starts_with('$'))
        return wrong(
            "--header Authorization holds '$…', which nobody has replaced: a client that starts this "
            "program has no shell",
            "write the variable in braces: 'Authorization: Bearer ${TOKEN}'");
    if (!token_to_send(u.token_type, value))
        return wrong(
            "--header Authorization holds a token with white space or other characters that no token has "
            "(RFC 6749, appendix A.12)",
            "quote it as one argument, with the token alone behind its scheme");
    u.grant = grant_kind::static_token;
    u.token = {secret_source::kind::literal, {}, secret(std::string(value))};
    return {};
}

result<void> add_header(const std::string& text, bool shown, upstream_config& u, config& c,
                        const config_inputs& inputs) {
    const auto colon = text.find(':');
    const auto name = std::string(trim_space(std::string_view(text).substr(0, colon)));
    if (colon == std::string::npos || !valid_token(name))
        return wrong("--header '" + clean_text(name, 60) + "' is none: write --header 'Name: value'");
    const auto used_before = c.secret_variables.size();
    const auto value = with_variables(trim_space(std::string_view(text).substr(colon + 1)), "--header",
                                      inputs, c.secret_variables);
    if (!value)
        return value.error();
    if (!valid_field_value(*value))
        return wrong("--header " + name + " has control characters in its value");
    const auto lower = ascii_lower(name);
    if (lower == "authorization") {
        auto set = set_token(*value, u);
        if (set && shown && c.secret_variables.size() == used_before)
            c.warnings.push_back("--header: the token is seen by everybody in the list of processes: write "
                                 "'Authorization: Bearer ${TOKEN}', and put TOKEN into the environment.");
        return set;
    }
    if (is_own_header(lower))
        return wrong("--header must not set " + name + ": the proxy does");
    std::erase_if(u.headers, [&](const auto& h) { return iequals(h.first, name); });
    u.headers.emplace_back(name, *value);
    return {};
}

/// The file's headers, and those of the command line as they are written there; not the token.
std::string binding_of(const stdio_target& target, const upstream_config& u) {
    std::vector<std::pair<std::string, std::string>> all;
    if (u.header_binding != "-")
        all.emplace_back("", u.header_binding);
    for (const auto& header : target.headers) {
        const auto colon = header.find(':');
        const auto name = trim_space(std::string_view(header).substr(0, colon));
        if (colon != std::string::npos && !iequals(name, "authorization"))
            all.emplace_back(name, trim_space(std::string_view(header).substr(colon + 1)));
    }
    return all.size() == 1 && all.front().first.empty() ? u.header_binding : header_binding(std::move(all));
}

/// What the name of a URL's upstream tells apart: tenants.
std::string told_apart(const stdio_target& target, const std::string& binding) {
    return target.apart.empty() ? binding : header_binding({{"headers", binding}, {"apart", target.apart}});
}

std::string listed_names(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& n : names)
        if (!n.empty())
            out += (out.empty() ? "" : ", ") + n;
    return out;
}

/// An upstream of its own, which no file describes. We are its only client here, so its cookies are kept like
/// any client's, for load balancers.
result<config> alone(const stdio_target& target, const config_inputs& inputs) {
    auto made = config_for_url(target.upstream, inputs);
    if (!made)
        return made;
    auto& u = made->upstreams.front();
    u.name = name_for_url(*parse_http_url(target.upstream), told_apart(target, binding_of(target, u)));
    if (!inputs.upstream_flags.contains("cookies"))
        u.cookies = cookie_mode::jar;
    if (!target.account.empty()) {
        u.name += "@" + target.account;
        u.account = target.account;
    }
    return made;
}

/// Of the upstreams that are meant, those of the account.
result<config> of_account(const stdio_target& target, config c, bool url, const config_inputs& inputs) {
    if (target.account.empty())
        return c;
    std::vector<std::string> accounts;
    for (const auto& u : c.upstreams)
        accounts.push_back(u.account);
    std::erase_if(c.upstreams, [&](const upstream_config& u) { return u.account != target.account; });
    if (!c.upstreams.empty())
        return c;
    const bool none = std::all_of(accounts.begin(), accounts.end(), [](const auto& a) { return a.empty(); });
    if (url && none) { // the file says nothing of accounts there
        auto made = alone(target, inputs);
        if (!made)
            return made;
        c.upstreams.push_back(std::move(made->upstreams.front()));
        return c;
    }
    return wrong(clean_text(target.upstream, 100) + " has no account '" + clean_text(target.account, 60) +
                     "'" + did_you_mean(target.account, accounts),
                 none ? "add accounts: {" + clean_text(target.account, 60) + ": {}} to it in " + c.file
                      : "configured are: " + listed_names(accounts));
}

result<config> with_its_upstream(const stdio_target& target, const config_inputs& inputs) {
    const bool url = names_url(target.upstream);
    if (target.file.empty()) {
        if (!url)
            return wrong("there is no configuration that names an upstream '" +
                             clean_text(target.upstream, 60) + "'",
                         "give its URL (https://…), or the file with --config");
        return alone(target, inputs);
    }
    auto c = load_config(target.file, inputs);
    if (!c)
        return c;
    std::vector<std::string> names;
    for (const auto& u : c->upstreams)
        names.push_back(u.name);
    std::erase_if(c->upstreams, [&](const upstream_config& u) {
        return url ? !same_url(u.url, target.upstream) : !is_called(u.name, target.upstream);
    });
    if (!c->upstreams.empty())
        return of_account(target, std::move(*c), url, inputs);
    if (!url)
        return no_such_upstream(target.upstream, names, *c);
    auto made = alone(target, inputs);
    if (!made)
        return made;
    c->upstreams.push_back(std::move(made->upstreams.front()));
    return c;
}

} // namespace

result<std::string> with_variables(std::string_view text, const std::string& flag,
                                   const config_inputs& inputs, std::vector<std::string>& used) {
    std::string out;
    for (;;) {
        const auto begin = text.find("${"), end = text.find('}', begin);
        if (begin == text.npos || end == text.npos)
            return out.append(text);
        const auto name = std::string(text.substr(begin + 2, end - begin - 2));
        const auto found = inputs.environment.find(name);
        if (found == inputs.environment.end())
            return wrong(flag + " refers to the environment variable " + clean_text(name, 60) +
                         ", which is not set");
        if (trim_space(found->second).empty())
            return wrong(flag + " refers to the environment variable " + clean_text(name, 60) +
                             ", which is empty",
                         "set it where the client starts this program (its `env`), or leave the header out");
        out.append(text.substr(0, begin)).append(found->second);
        used.push_back(name);
        text.remove_prefix(end + 1);
    }
}

result<config> config_for_stdio(const stdio_target& target, config_inputs inputs) {
    inputs.only_upstream = names_url(target.upstream) ? "" : std::string(without_account(target.upstream));
    auto c = with_its_upstream(target, inputs);
    if (c && names_url(target.upstream) && !target.file.empty()) {
        // which it is, is known now
        inputs.only_upstream = std::string(without_account(c->upstreams.front().name));
        c = with_its_upstream(target, inputs);
    }
    if (!c)
        return c;
    c->upstreams.resize(1);
    auto& u = c->upstreams.front();
    u.header_binding = binding_of(target, u);
    for (const auto& header : target.headers) {
        auto added = add_header(header, !target.secret_headers.contains(header), u, *c, inputs);
        if (!added)
            return added.error();
    }
    u.path = "/";
    u.also_at.clear();
    u.listen.reset();
    c->client_auth.clear();
    c->allowed_origins.clear();
    c->tls.reset();
    c->metrics.reset();
    c->workers = 1;
    return c;
}

} // namespace reauth
