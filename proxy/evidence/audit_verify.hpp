// Whether an audit is as it was written: which line was changed, is missing, moved, or cut.
#pragma once

#include "proxy/evidence/audit_line.hpp"

#include <map>
#include <string>
#include <vector>

namespace reauth {

/// A file of lines, as it was read.
struct audit_file_text {
    std::string name;
    std::string text;
};

/// What it is held against.
struct audit_expectations {
    std::vector<verifying_key>
        keys; ///< that signatures may be made with; empty: those that the lines name themselves
    std::vector<audit_head> heads;      ///< lines that must be there, as they were
    std::vector<verifying_key> known{}; ///< without `keys`: further ones that lines may be signed with
};

struct audit_finding {
    std::string where; ///< FILE:LINE
    std::string what;  ///< one sentence
};

/// One chain.
struct audit_chain_report {
    std::string log;
    std::uint64_t first = 0, last = 0; ///< seq
    std::size_t lines = 0, signatures = 0;
    std::size_t unverified = 0;    ///< signatures whose key is not known here (without expected keys)
    std::size_t unsigned_tail = 0; ///< lines behind the last signature: chained alone
    std::vector<std::string> keys; ///< ids that it is signed with, in order
    bool head_known = false;       ///< its end was held against an expected head
};

struct audit_report {
    std::vector<audit_chain_report> chains;
    std::vector<audit_finding> findings; ///< empty: it is whole
    bool keys_given = false;
};

/// The files in any order; they may be of several replicas. Their lines are put in order by the chain.
audit_report verify_audit(std::vector<audit_file_text> files, const audit_expectations& expected);

} // namespace reauth
