// Character by character; what is cut between two writes waits for its rest.
#include "proxy/cli/printed.hpp"

#include "core/text/display_text.hpp"
#include "core/text/utf8.hpp"

namespace reauth {
namespace {

/// How many bytes at the end of `text` begin a character that is not whole.
std::size_t unfinished(std::string_view text) {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto c = static_cast<unsigned char>(text[text.size() - back]);
        if ((c & 0xc0) == 0x80)
            continue;
        const std::size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

} // namespace

void visible_stream::buffer::pass(bool all) {
    std::string_view rest = held_;
    const auto kept = all ? 0 : unfinished(rest);
    rest.remove_suffix(kept);
    std::string out;
    out.reserve(rest.size());
    while (!rest.empty()) {
        const auto c = next_code_point(rest).value_or(0xfffd);
        if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f))
            out += static_cast<char>(c);
        else
            append_visible(out, c);
    }
    held_.erase(0, held_.size() - kept);
    to_.write(out.data(), static_cast<std::streamsize>(out.size()));
}

visible_stream::buffer::int_type visible_stream::buffer::overflow(int_type c) {
    if (!traits_type::eq_int_type(c, traits_type::eof())) {
        held_ += traits_type::to_char_type(c);
        pass(false);
    }
    return traits_type::not_eof(c);
}

std::streamsize visible_stream::buffer::xsputn(const char* text, std::streamsize size) {
    held_.append(text, static_cast<std::size_t>(size));
    pass(false);
    return size;
}

int visible_stream::buffer::sync() {
    pass(false);
    to_.flush();
    return to_.good() ? 0 : -1;
}

} // namespace reauth
