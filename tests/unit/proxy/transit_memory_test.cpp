// The memory of bytes in transit: lent, grown, trimmed and given back.
#include "proxy/net/frame_pool.hpp"
#include "proxy/relay/request_buffers.hpp"

#include "tests/support/catch.hpp"

#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace reauth;

TEST_CASE("buffers come back empty, the warmest first", "[memory]") {
    auto lent_out = lend<request_buffers>();
    const auto* where = lent_out.get();
    std::memcpy(lent_out->in.space(), "GET", 3);
    lent_out->in.added(3);
    lent_out->out = "head";
    lent_out->record.append("body");
    lent_out->need_answer();
    lent_out.reset();
    const auto again = lend<request_buffers>();
    CHECK(again.get() == where);
    CHECK(again->in.size() == 0);
    CHECK(again->out.empty());
    CHECK(again->record.empty());
    CHECK_FALSE(again->up);
}

TEST_CASE("a crowd's buffers are all different, and what it gave back is lent again", "[memory]") {
    std::set<const void*> all;
    for (int round = 0; round < 2; ++round) {
        std::vector<lent<request_buffers>> crowd;
        all.clear();
        for (int i = 0; i < 1000; ++i) {
            crowd.push_back(lend<request_buffers>());
            crowd.back()->in.added(1);
            all.insert(crowd.back().get());
        }
        CHECK(all.size() == 1000);
    }
}

TEST_CASE("a held request keeps its bytes, and the head's views into them", "[memory]") {
    const std::string head =
        "POST /a HTTP/1.1\r\nHost: h\r\nX-Long: " + std::string(20'000, 'x') + "\r\n\r\n";
    for (const std::size_t room : {input_buffer::first_size, std::size_t{64 * 1024}}) {
        const auto text =
            room == input_buffer::first_size ? std::string("POST /a HTTP/1.1\r\nHost: h\r\n\r\n") : head;
        auto memory = lend<request_buffers>();
        memory->in.grow(room);
        std::memcpy(memory->in.space(), text.data(), text.size());
        memory->in.added(text.size());
        REQUIRE(parse_request_head(memory->in.view(), memory->head).is == head_outcome::kind::complete);
        memory->hold();
        CHECK(memory->in.view() == text);
        CHECK(memory->head.target == "/a");
        CHECK(memory->head.value(field_id::host) == "h");
        CHECK(memory->in.view().data() <= memory->head.target.data());
        CHECK(memory->head.target.data() < memory->in.view().data() + memory->in.size());
    }
}

TEST_CASE("a record grows with what comes, past its first block, and forgets it", "[memory]") {
    byte_record record;
    std::string expected;
    for (int i = 0; i < 40; ++i) {
        const std::string piece(10'000, static_cast<char>('a' + i % 26));
        record.append(piece);
        expected += piece;
    }
    CHECK(record.view() == expected);
    auto* space = record.space();
    REQUIRE(record.free() > 0);
    *space = '!';
    record.added(1);
    CHECK(record.view().back() == '!');
    record.clear();
    CHECK(record.empty());
    record.append("again");
    CHECK(record.view() == "again");
}

TEST_CASE("frames of every size are distinct, aligned and lent again", "[memory]") {
    for (const std::size_t size : {1u, 31u, 32u, 33u, 640u, 2048u, 2049u, 100'000u}) {
        std::set<void*> all;
        std::vector<void*> taken;
        for (int i = 0; i < 300; ++i) {
            auto* frame = frame_pool::take(size);
            std::memset(frame, i, size);
            CHECK(reinterpret_cast<std::uintptr_t>(frame) % alignof(std::max_align_t) == 0);
            all.insert(frame);
            taken.push_back(frame);
        }
        CHECK(all.size() == taken.size());
        for (std::size_t i = 0; i < taken.size(); ++i) {
            CHECK(static_cast<unsigned char*>(taken[i])[size - 1] == static_cast<unsigned char>(i));
            frame_pool::give(taken[i], size);
        }
    }
}

TEST_CASE("what a thread took may be given back when it has ended", "[memory]") {
    std::vector<void*> frames;
    lent<request_buffers> buffers;
    std::thread worker([&] {
        for (int i = 0; i < 1000; ++i)
            frames.push_back(frame_pool::take(512));
        buffers = lend<request_buffers>();
    });
    worker.join();
    for (auto* frame : frames)
        frame_pool::give(frame, 512);
    buffers.reset();
    CHECK(lend<request_buffers>() != nullptr);
}
