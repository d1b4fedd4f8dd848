// A row for each argument.
#include "conf/remote_arguments.hpp"

#include "conf/regular_file.hpp"
#include "conf/values.hpp"
#include "core/json/json_fields.hpp"
#include "core/mcp/mcp_remote.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>

namespace reauth {
namespace {

failure bad_flag(const std::string& flag, const std::string& what, std::string fix = {}) {
    return failure::permanent(fault::invalid_configuration, flag + " " + what, std::move(fix));
}

constexpr auto info_flag = "--static-oauth-client-info", metadata_flag = "--static-oauth-client-metadata";

class translation {
public:
    translation(const remote_arguments& given, stdio_target& target, config_inputs& inputs)
        : given_(given), target_(target), inputs_(inputs) {}

    result<std::vector<std::string>> run() {
        say_switches();
        for (auto step : {&translation::read_headers, &translation::say_resource, &translation::say_params,
                          &translation::say_client, &translation::say_metadata, &translation::say_endpoint,
                          &translation::say_timeouts, &translation::say_callback})
            if (auto done = (this->*step)(); !done)
                return done.error();
        for (const auto& [flag, why] : given_.without_meaning)
            notes_.push_back(flag + " has no meaning here: " + why);
        return std::move(notes_);
    }

private:
    void set(const std::string& key, std::string value, const std::string& flag) {
        inputs_.upstream_flags[key] = {std::move(value), flag};
    }
    void set_global(const std::string& key, const std::string& value) {
        inputs_.flags.emplace(key, value); // --set and the flags of the key's name are the more exact ones
    }
    /// Tells this sign-in apart from others at the same URL.
    void apart(const std::string& what) { target_.apart += what + "\n"; }

    void say_switches() {
        if (given_.allow_http)
            set("allow_http", "true", "--allow-http");
        if (given_.device_code)
            set("login", "device", "--device-code");
        if (given_.id_token)
            set("bearer", "id_token", "--use-id-token");
        if (given_.ipv4)
            set("prefer", "ipv4", "--ipv4");
        if (given_.no_cookies)
            set("cookies", "strip", "--disable-cookies");
        if (given_.client_credentials)
            set("grant", "client_credentials", "--client-credentials");
        if (given_.protocol)
            set("era", *given_.protocol == "auto" ? "bridge" : "pass", "--protocol");
        if (given_.debug || given_.silent)
            set_global("log.level", given_.debug ? "debug" : "off");
        if (!given_.issuer.empty())
            set("client.issuer", given_.issuer, "--issuer");
    }

    result<void> read_headers() {
        for (const auto& path : given_.header_files) {
            const auto file = read_regular_file(path);
            if (!file)
                return bad_flag("--header-file", "names " + path + ", which " + file.trouble);
            std::string_view rest = file.text->reveal();
            while (!rest.empty()) {
                const auto end = std::min(rest.find('\n'), rest.size());
                const auto line = trim_space(rest.substr(0, end));
                rest.remove_prefix(std::min(end + 1, rest.size()));
                if (line.empty() || line.starts_with('#'))
                    continue;
                target_.headers.emplace_back(line);
                target_.secret_headers.insert(std::string(line));
            }
        }
        return {};
    }

    result<void> say_resource() {
        const bool omitted = given_.no_resource || (given_.resource && trim_space(*given_.resource).empty());
        if (!omitted && !given_.resource)
            return {};
        const auto value = omitted ? std::string("omit") : std::string(trim_space(*given_.resource));
        set("resource", value, omitted && given_.no_resource ? "--disable-resource-parameter" : "--resource");
        if (!omitted)
            apart("resource " + value);
        return {};
    }

    result<void> say_params() {
        for (const auto& pair : given_.authorize_params) {
            const auto equals = pair.find('=');
            if (equals == 0 || equals == pair.npos)
                return bad_flag("--authorize-param", "'" + clean_text(pair, 60) + "' is none",
                                "write --authorize-param name=value");
            set("authorize_params." + std::string(trim_space(std::string_view(pair).substr(0, equals))),
                pair.substr(equals + 1), "--authorize-param");
        }
        for (const auto& [key, value] : inputs_.upstream_flags)
            if (key.starts_with("authorize_params."))
                apart(key + " " + value.text);
        return {};
    }

    struct document {
        nlohmann::json object;
        bool from_file = false;
    };
    /// JSON on the command line, or @FILE; ${VARIABLE} in its strings is the environment's.
    result<document> read_document(const std::string& text, const std::string& flag) {
        document out;
        out.from_file = text.starts_with('@');
        secret whole(text);
        if (out.from_file) {
            auto file = read_regular_file(text.substr(1));
            if (!file)
                return bad_flag(flag, "names " + text.substr(1) + ", which " + file.trouble);
            whole = std::move(*file.text);
        }
        auto object = parse_json_object(whole.reveal());
        if (!object) {
            std::vector<std::string> used;
            const auto replaced = with_variables(whole.reveal(), flag, inputs_, used);
            if (replaced)
                object = parse_json_object(*replaced);
        }
        if (!object)
            return bad_flag(flag, "holds no JSON object",
                            R"(write it like '{"client_id": "…"}', or @FILE with that in it)");
        out.object = std::move(*object);
        return out;
    }
    result<std::string> expanded(const std::string& text, const char* flag) {
        std::vector<std::string> used;
        return with_variables(text, flag, inputs_, used);
    }

    result<void> say_client() {
        if (!given_.client_info && given_.client_credentials && names_url(target_.upstream))
            return bad_flag("--client-credentials", "needs a client",
                            std::string("name it with ") + info_flag +
                                " '{\"client_id\": …, \"client_secret\": …}'");
        if (!given_.client_info)
            return {};
        const auto info = read_document(*given_.client_info, info_flag);
        if (!info)
            return info.error();
        const auto id = expanded(json_string(info->object, "client_id"), info_flag);
        if (!id)
            return id.error();
        if (id->empty())
            return bad_flag(info_flag, "holds no client_id");
        set("client.id", *id, info_flag);
        apart("client " + *id);
        const auto method = json_string(info->object, "token_endpoint_auth_method");
        auto hidden = json_string(info->object, "client_secret");
        if (hidden.empty())
            return {};
        const bool variable =
            hidden.starts_with("${") && hidden.find('}') == hidden.size() - 1 && hidden.size() > 3;
        if (variable) {
            set("client.secret", "{env: \"" + hidden.substr(2, hidden.size() - 3) + "\"}", info_flag);
        } else {
            const auto value = expanded(hidden, info_flag);
            if (!value)
                return value.error();
            set("client.secret", *value, info_flag);
            if (!info->from_file)
                notes_.push_back(
                    std::string(info_flag) +
                    ": the secret is seen by everybody in the list of processes: write "
                    "\"client_secret\": \"${NAME}\" and put NAME into the environment, or @FILE");
        }
        has_secret_ = true;
        if (!method.empty())
            set("client.auth", method, info_flag);
        return {};
    }

    result<void> say_metadata() {
        if (!given_.client_metadata)
            return {};
        const auto metadata = read_document(*given_.client_metadata, metadata_flag);
        if (!metadata)
            return metadata.error();
        std::string unsaid;
        for (const auto& [name, value] : metadata->object.items()) {
            const auto text = value.is_string() ? value.get<std::string>() : std::string();
            if (name == "scope" && !trim_space(text).empty())
                set("scopes", text, metadata_flag);
            else if (name == "token_endpoint_auth_method" && has_secret_)
                set("client.auth", text, metadata_flag);
            else if (name != "scope" && name != "redirect_uris")
                unsaid += (unsaid.empty() ? "" : ", ") + clean_text(name, 60);
        }
        if (!unsaid.empty())
            notes_.push_back(std::string(metadata_flag) + ": " + unsaid +
                             " has no meaning here: what is registered follows from the server's metadata");
        return {};
    }

    result<void> say_endpoint() {
        if (!given_.token_endpoint)
            return {};
        if (!given_.client_credentials)
            return bad_flag("--token-endpoint", "goes with --client-credentials alone");
        const auto endpoint = parse_http_url(*given_.token_endpoint, "it");
        if (!endpoint)
            return bad_flag("--token-endpoint", "is not usable: " + endpoint.error().message);
        set("authorization_server.issuer", endpoint->origin(), "--token-endpoint");
        set("authorization_server.token_endpoint", *given_.token_endpoint, "--token-endpoint");
        if (given_.issuer.empty())
            set("client.issuer", endpoint->origin(), "--token-endpoint"); // whoever names it has chosen it
        apart("token_endpoint " + *given_.token_endpoint);
        return {};
    }

    result<void> say_timeouts() {
        const std::pair<const std::optional<std::string>*, std::pair<const char*, const char*>> rows[] = {
            {&given_.connect_timeout, {"limits.upstream_connect", "--connect-timeout"}},
            {&given_.headers_timeout, {"limits.upstream_answer", "--headers-timeout"}}};
        for (const auto& [value, names] : rows) {
            if (!*value)
                continue;
            char* end = nullptr;
            const double seconds = std::strtod((*value)->c_str(), &end);
            if ((*value)->empty() || *end != '\0' || !std::isfinite(seconds) || seconds < 0 ||
                seconds > 86'400)
                return bad_flag(names.second, "must be seconds, not '" + clean_text(**value, 40) + "'");
            const auto ms = seconds == 0 ? 86'400'000 : std::llround(seconds * 1000); // 0: none
            set_global(names.first, std::to_string(ms) + "ms");
        }
        return {};
    }

    /// Where the browser comes back to: it matters where somebody has registered it for us.
    result<void> say_callback() {
        if (given_.client_metadata_url)
            set_global("client_metadata_url", std::string(trim_space(*given_.client_metadata_url)));
        if (given_.callback_path)
            set("callback_path", *given_.callback_path, "--callback-path");
        if (given_.port && !parse_number(*given_.port, 65'535))
            return bad_flag("PORT",
                            "must be a number up to 65535, not '" + clean_text(*given_.port, 40) + "'");
        const bool registered = (given_.client_info && !given_.client_credentials && !given_.device_code) ||
                                given_.client_metadata_url;
        if (!registered) {
            if (given_.port || given_.host)
                notes_.push_back(
                    (given_.port ? "the port " + *given_.port : "--host " + clean_text(*given_.host)) +
                    " has no meaning here: the callback is on the approval page's address, which is what "
                    "is registered (--set approval.public_url=…)");
            return {};
        }
        mcp_remote_arguments key;
        key.url = target_.upstream;
        key.resource = inputs_.upstream_flags.contains("resource") && !given_.no_resource
                           ? inputs_.upstream_flags.at("resource").text
                           : "";
        for (const auto& header : target_.headers)
            add_remote_header(key, header);
        for (const auto& [name, value] : inputs_.upstream_flags)
            if (name.starts_with("authorize_params."))
                key.authorize_params[name.substr(17)] = value.text;
        if (given_.client_metadata_url)
            key.client_metadata_url = std::string(trim_space(*given_.client_metadata_url));
        const auto port = given_.port.value_or(std::to_string(mcp_remote_port(key)));
        set_global("approval.listen", "127.0.0.1:" + port);
        set_global("approval.public_url", "http://" + given_.host.value_or("localhost") + ":" + port);
        return {};
    }

    const remote_arguments& given_;
    stdio_target& target_;
    config_inputs& inputs_;
    std::vector<std::string> notes_;
    bool has_secret_ = false;
};

} // namespace

result<std::vector<std::string>> apply_remote_arguments(const remote_arguments& given, stdio_target& target,
                                                        config_inputs& inputs) {
    return translation(given, target, inputs).run();
}

} // namespace reauth
