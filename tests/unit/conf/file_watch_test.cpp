// Changes of files are heard of, whatever way they are made.
#include "conf/file_watch.hpp"

#include "tests/support/catch.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <poll.h>

using namespace reauth;

namespace {

struct folder {
    folder() {
        std::string pattern = "/tmp/mcp-reauth-watch-XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~folder() { std::filesystem::remove_all(path); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path + "/" + name) << text;
    }
    std::string path;
};

bool told(const file_watch& watch) {
    pollfd look{watch.descriptor(), POLLIN, 0};
    const bool yes = ::poll(&look, 1, 0) == 1;
    watch.drain();
    return yes;
}

} // namespace

TEST_CASE("a file that is written, replaced or removed is heard of, once each", "[files]") {
    const folder where;
    where.write("a", "1");
    const file_watch watch({where.path + "/a"});
    REQUIRE(watch.descriptor() >= 0);
    CHECK_FALSE(told(watch));
    where.write("a", "2");
    CHECK(told(watch));
    CHECK_FALSE(told(watch));
    where.write("b", "3");
    std::filesystem::rename(where.path + "/b", where.path + "/a");
    CHECK(told(watch));
    std::filesystem::remove(where.path + "/a");
    CHECK(told(watch));
    where.write("a", "4"); // it need not be there all the time
    CHECK(told(watch));
}

TEST_CASE("a file behind a link is heard of where it lies", "[files]") {
    const folder where, elsewhere;
    elsewhere.write("real", "1");
    std::filesystem::create_symlink(elsewhere.path + "/real", where.path + "/linked");
    const file_watch watch({where.path + "/linked"});
    elsewhere.write("real", "2");
    CHECK(told(watch));
}

TEST_CASE("what can't be watched says so", "[files]") {
    CHECK(file_watch({"/nonexistent/folder/file"}).descriptor() == -1);
    CHECK(file_watch(std::vector<std::string>{}).descriptor() == -1);
    CHECK(file_watch().descriptor() == -1);
}
