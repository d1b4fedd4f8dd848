// Newline-delimited JSON-RPC (MCP, transports, stdio): bytes into lines, and a message as one line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Finds the `id` of a message that is not kept: that of the outermost object, wherever it stands in it. An
/// error of ours finds who asked by it.
class id_finder {
public:
    void feed(std::string_view piece);
    /// As JSON text; empty: none, or none that an id can be. The next message begins.
    std::string take();

private:
    void character(char c);
    std::size_t depth_ = 0;
    bool in_string_ = false, escaped_ = false, is_key_ = false, wanted_ = false, skip_ = false;
    std::string key_, value_;
};

/// Cuts what comes in into lines. Of a line beyond `longest` bytes nothing is kept.
class message_lines {
public:
    struct line {
        std::string text;      ///< without its end (LF, or CR LF)
        bool too_long = false; ///< the text is empty
        std::string id = {};   ///< of a message that was too long: its `id` as JSON text, where it has one
    };
    explicit message_lines(std::size_t longest) : longest_(longest) {}

    /// The lines that `piece` makes whole. Empty ones, and those of white space alone, are left out.
    std::vector<line> feed(std::string_view piece);
    /// At the end of the input: what follows the last line's end, if anything does.
    std::optional<line> finish();

private:
    std::optional<line> take();
    std::size_t longest_;
    std::string held_;
    bool skipping_ = false;
    id_finder finder_; ///< of a line that is too long
};

/// JSON text without raw line ends, and without a byte order mark (RFC 8259 section 8.1). (Inside its strings
/// there are none; between tokens they are white space.)
std::string on_one_line(std::string text);

} // namespace reauth
