// The grammar of WWW-Authenticate (RFC 9110 §11.6.1), forgiving where servers in the field break it.
#include "core/oauth/challenge.hpp"

#include "core/text/ascii.hpp"

namespace reauth {

namespace {

constexpr std::size_t max_challenges = 16, max_params = 32, max_text = 16 * 1024;

bool token_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool token68_char(char c) noexcept {
    return token_char(c) || c == '/' || c == '=';
}

struct reader {
    std::string_view rest;

    bool done() const { return rest.empty(); }
    char peek() const { return rest.front(); }
    void skip(std::string_view what) {
        rest.remove_prefix(std::min(rest.find_first_not_of(what), rest.size()));
    }
    std::string_view take_while(bool (*test)(char) noexcept) {
        std::size_t n = 0;
        while (n < rest.size() && test(rest[n]))
            ++n;
        const auto out = rest.substr(0, n);
        rest.remove_prefix(n);
        return out;
    }
    // After the opening quote. An unterminated string ends with the line.
    std::string quoted() {
        std::string out;
        while (!done()) {
            char c = peek();
            rest.remove_prefix(1);
            if (c == '"')
                break;
            if (c == '\\' && !done()) {
                c = peek();
                rest.remove_prefix(1);
            }
            out += c;
        }
        return out;
    }
    std::string value() {
        if (!done() && peek() == '"') {
            rest.remove_prefix(1);
            return quoted();
        }
        // some servers send URLs without quotes
        return std::string(take_while([](char c) noexcept { return c != ',' && c != ' ' && c != '\t'; }));
    }
};

// True if what comes is `name =`, so a parameter and not a scheme or a token68.
bool parameter_follows(std::string_view text) {
    reader look{text};
    if (look.take_while(token_char).empty())
        return false;
    look.skip(" \t");
    if (look.done() || look.peek() != '=')
        return false;
    look.rest.remove_prefix(1);
    look.skip(" \t");
    return !look.done() && look.peek() != ',' && look.peek() != '=';
}

void read_parameter(reader& in, auth_challenge& into) {
    std::string name = ascii_lower(in.take_while(token_char));
    in.skip(" \t");
    in.rest.remove_prefix(1);
    in.skip(" \t");
    std::string value = in.value();
    if (into.params.size() < max_params)
        into.params.emplace_back(std::move(name), std::move(value));
}

// A token68 stands alone between the scheme and the next comma.
void read_token68(reader& in, auth_challenge& into) {
    reader look = in;
    const auto text = look.take_while(token68_char);
    look.skip(" \t");
    if (text.empty() || (!look.done() && look.peek() != ','))
        return;
    into.token68 = text;
    in = look;
}

void parse_line(std::string_view line, std::vector<auth_challenge>& out) {
    reader in{line};
    // parameters never continue a challenge of the line before
    const std::size_t of_earlier_lines = out.size();
    while (true) {
        in.skip(" \t,");
        if (in.done())
            return;
        if (parameter_follows(in.rest)) {
            auth_challenge stray;
            read_parameter(in, out.size() > of_earlier_lines ? out.back() : stray);
            continue;
        }
        const auto scheme = in.take_while(token_char);
        if (scheme.empty()) {
            in.value();
            continue;
        }
        if (out.size() == max_challenges)
            return;
        out.push_back({ascii_lower(scheme), {}, {}});
        if (!in.done() && (in.peek() == ' ' || in.peek() == '\t')) {
            in.skip(" \t");
            if (!parameter_follows(in.rest))
                read_token68(in, out.back());
        }
    }
}

} // namespace

std::optional<std::string_view> auth_challenge::param(std::string_view name) const noexcept {
    for (const auto& [key, value] : params)
        if (key == name)
            return value;
    return std::nullopt;
}

std::vector<auth_challenge> parse_www_authenticate(const std::vector<std::string_view>& lines) {
    std::vector<auth_challenge> out;
    std::size_t budget = max_text;
    for (const auto line : lines) {
        parse_line(line.substr(0, budget), out);
        budget -= std::min(budget, line.size());
    }
    return out;
}

} // namespace reauth
