// What a command prints: every character of it is visible, wherever the text came from.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace reauth {

/// Stands before another stream. Line ends and tabs pass; every other character without a shape of its own
/// (control, so the escapes of a terminal, bidi, zero-width) is written as its JSON escape, which in JSON
/// means the same. Bytes that are no UTF-8 become U+FFFD.
class visible_stream : public std::ostream {
public:
    explicit visible_stream(std::ostream& to) : std::ostream(nullptr), through_(to) { rdbuf(&through_); }

private:
    class buffer : public std::streambuf {
    public:
        explicit buffer(std::ostream& to) : to_(to) {}
        ~buffer() override { pass(true); }

    protected:
        int_type overflow(int_type c) override;
        std::streamsize xsputn(const char* text, std::streamsize size) override;
        int sync() override;

    private:
        void pass(bool all);
        std::ostream& to_;
        std::string held_; ///< a character that is not whole yet
    };
    buffer through_;
};

} // namespace reauth
