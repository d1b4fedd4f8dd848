// One pass over the text: strings and numbers are copied with care, the rest as it is.
#include "core/json/json_repair.hpp"

#include "core/text/utf8.hpp"

#include <charconv>
#include <optional>

namespace reauth {

namespace {

constexpr std::string_view unreadable = "\\ufffd";

class repair {
public:
    explicit repair(std::string_view text) : text_(text) { out_.reserve(text.size() + 16); }

    std::string run() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"')
                string();
            else if (c == '-' || c == '+' || (c >= '0' && c <= '9') || c == 'N' || c == 'I')
                number();
            else
                out_ += text_[at_++];
        }
        return std::move(out_);
    }

private:
    void string() {
        out_ += text_[at_++];
        while (at_ < text_.size()) {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c == '"') {
                out_ += text_[at_++];
                return;
            }
            if (c == '\\')
                escape();
            else if (c < 0x20)
                control(c);
            else if (c < 0x80)
                out_ += text_[at_++];
            else
                character();
        }
    }

    void control(unsigned char c) {
        constexpr std::string_view digits = "0123456789abcdef";
        out_ += "\\u00";
        out_ += digits[c >> 4];
        out_ += digits[c & 15];
        ++at_;
    }

    void character() {
        auto rest = text_.substr(at_);
        const auto before = rest.size();
        const bool valid = next_code_point(rest).has_value();
        const auto length = before - rest.size();
        out_ += valid ? text_.substr(at_, length) : unreadable;
        at_ += length;
    }

    void escape() {
        const auto rest = text_.substr(at_);
        if (rest.size() < 2) {
            out_ += rest;
            at_ = text_.size();
        } else if (rest[1] == 'u') {
            unicode_escape(rest);
        } else if (std::string_view("\"\\/bfnrt").find(rest[1]) != std::string_view::npos) {
            out_ += rest.substr(0, 2);
            at_ += 2;
        } else {
            ++at_; // `\'` and the like: the character itself
        }
    }

    void unicode_escape(std::string_view rest) {
        const auto first = code_unit(rest);
        if (!first) {
            out_ += unreadable;
            at_ += 2;
            return;
        }
        const bool high = *first >= 0xd800 && *first < 0xdc00;
        const auto second = high ? code_unit(rest.substr(6)) : std::nullopt;
        if (second && *second >= 0xdc00 && *second < 0xe000) {
            out_ += rest.substr(0, 12);
            at_ += 12;
            return;
        }
        if (*first >= 0xd800 && *first < 0xe000)
            out_ += unreadable;
        else
            out_ += rest.substr(0, 6);
        at_ += 6;
    }

    static std::optional<unsigned> code_unit(std::string_view escape) {
        if (escape.size() < 6 || escape[0] != '\\' || escape[1] != 'u')
            return std::nullopt;
        unsigned value = 0;
        const auto* end = escape.data() + 6;
        const auto [stop, error] = std::from_chars(escape.data() + 2, end, value, 16);
        if (error != std::errc{} || stop != end)
            return std::nullopt;
        return value;
    }

    void number() {
        std::size_t end = at_;
        while (end < text_.size() && is_word(text_[end]))
            ++end;
        const auto word = text_.substr(at_, end - at_);
        double value = 0;
        const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        const bool named = word.ends_with("NaN") || word.ends_with("Infinity");
        const bool too_large = error == std::errc::result_out_of_range && stop == word.data() + word.size();
        out_ += named || too_large ? std::string_view("null") : word;
        at_ = end;
    }

    static bool is_word(char c) {
        return c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z');
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
};

} // namespace

std::string repair_json(std::string_view text) {
    return repair(text).run();
}

} // namespace reauth
