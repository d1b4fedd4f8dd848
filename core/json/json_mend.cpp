// One pass over strings and numbers.
#include "core/json/json_mend.hpp"

#include "core/json/json_members.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace reauth {
namespace {

constexpr std::string_view number_characters = "+-.0123456789eE";

/// The UTF-16 unit of an escape at `at` (its backslash); nothing: there is no such escape.
std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u')
        return std::nullopt;
    unsigned unit = 0;
    for (const char c : text.substr(at + 2, 4)) {
        const auto lower = static_cast<char>(c | 0x20);
        const bool digit = c >= '0' && c <= '9', letter = lower >= 'a' && lower <= 'f';
        if (!digit && !letter)
            return std::nullopt;
        unit = unit * 16 + static_cast<unsigned>(digit ? c - '0' : lower - 'a' + 10);
    }
    return unit;
}

class mender {
public:
    explicit mender(std::string_view text) : text_(text) {}
    std::optional<std::string> run() {
        for (std::size_t i = 0; i < text_.size();)
            i = text_[i] == '"'                                  ? through_string(i + 1)
                : number_characters.find(text_[i]) != text_.npos ? through_number(i)
                                                                 : i + 1;
        return std::move(copy_);
    }

private:
    std::size_t through_string(std::size_t i) {
        while (i < text_.size() && text_[i] != '"') {
            const auto unit = unit_at(text_, i);
            if (!unit) {
                i += text_[i] == '\\' ? 2 : 1;
                continue;
            }
            const auto next = unit_at(text_, i + 6);
            const bool high = *unit >= 0xd800 && *unit <= 0xdbff, low = *unit >= 0xdc00 && *unit <= 0xdfff;
            const bool pair = high && next && *next >= 0xdc00 && *next <= 0xdfff;
            if ((high || low) && !pair)
                write(i + 2, "fffd");
            i += pair ? 12 : 6;
        }
        return i + 1;
    }
    std::size_t through_number(std::size_t i) {
        const auto end = std::min(text_.find_first_not_of(number_characters, i), text_.size());
        const std::string number(text_.substr(i, end - i));
        const bool may_be_large = number.size() > 300 || number.find_first_of("eE") != number.npos;
        if (may_be_large && std::isinf(std::strtod(number.c_str(), nullptr)))
            write(i, "0" + std::string(number.size() - 1, ' '));
        return end;
    }
    void write(std::size_t at, std::string_view what) {
        if (!copy_)
            copy_.emplace(text_);
        copy_->replace(at, what.size(), what);
    }
    std::string_view text_;
    std::optional<std::string> copy_;
};

} // namespace

std::optional<std::string> readable_copy(std::string_view text) {
    return mender(text).run();
}

std::string id_in_broken(std::string_view text) {
    const auto begin = text.find('{');
    if (begin == text.npos)
        return {};
    for (const auto& member : json_members(text.substr(begin)))
        if (member.key == "\"id\"" && is_json(member.value) && !member.value.empty() &&
            (member.value.front() == '"' || number_characters.find(member.value.front()) != text.npos))
            return std::string(member.value);
    return {};
}

} // namespace reauth
