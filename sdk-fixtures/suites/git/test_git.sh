#!/bin/sh
# Clones from and pushes to the repositories of a running cluster, with real git.
#
# Needs ARVADOS_TEST_GIT_URL, ARVADOS_TEST_GIT_SSL_URL and ARVADOS_TEST_CA_CERT; without an
# address its tests are skipped. Prints a line `ok N - name` or `not ok N - name` a test, and at
# the end `N passed, N failed, N skipped`. Exits with 1 if a test failed.

set -u

admin=4axaw8zxe0qm22wa6urpp5nskcne8z88cvbupv653y1njyi05h
active=3kg6k6lzmp9kj5cpkcoxie963cmvjahbt2fod9zru30k1jqdmi
spectator=zw2f4gwx8hw8cjre7yp6v1zylhrhn3m5gvjq73rtpwhmknrybu
unknown=thistokenisnotknowntoanyclusteratall00000000000000

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Nothing of the user's: no configuration, credentials, proxy or repository.
for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY SSH_ASKPASS
export HOME="$work" XDG_CONFIG_HOME="$work" LC_ALL=C
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL="$work/gitconfig" GIT_TERMINAL_PROMPT=0
export GIT_SSL_CAINFO="${ARVADOS_TEST_CA_CERT:-}"
cat > "$work/gitconfig" <<'END'
[user]
	name = Git Suite
	email = git-suite@example.com
[http]
	lowSpeedLimit = 1
	lowSpeedTime = 60
[credential]
	helper = "!answer() { test -z \"$TOKEN\" || printf 'username=any\\npassword=%s\\n' \"$TOKEN\"; }; answer"
END
cd "$work" || exit 1

number=0 passed=0 failed=0 skipped=0

# test_that NAME COMMAND...: runs COMMAND as a test, and shows what it printed if it fails.
test_that() {
    name=$1
    shift
    number=$((number + 1))
    if "$@" > output 2>&1; then
        passed=$((passed + 1))
        echo "ok $number - $name"
    else
        failed=$((failed + 1))
        echo "not ok $number - $name"
        sed 's/^/# /' output
    fi
}

skip() {
    number=$((number + 1))
    skipped=$((skipped + 1))
    echo "ok $number - $1 # SKIP $2"
}

# as TOKEN ARGUMENT...: runs git with the token as the password; without credentials if it is empty.
as() {
    token=$1
    shift
    TOKEN=$token git "$@"
}

# refused MESSAGE COMMAND...: COMMAND fails, and says what matches the extended expression MESSAGE.
refused() {
    message=$1
    shift
    if "$@" > refusal 2>&1; then
        cat refusal
        return 1
    fi
    cat refusal
    grep -Eq "$message" refusal
}

all_branches() {
    as "$admin" ls-remote "$url/$1.git"
}

clone_commit_push_clone() {
    branch="suite-$$-$scheme"
    as "$active" clone -q "$url/active/foo.git" first &&
        cp "first/two words.txt" copy &&
        git -C first checkout -q -b "$branch" &&
        echo "a line of the suite" >> "first/two words.txt" &&
        git -C first commit -q -a -m "Change a file" &&
        as "$active" -C first push -q origin "$branch" &&
        as "$spectator" clone -q -b "$branch" "$url/active/foo.git" second &&
        cmp "first/two words.txt" "second/two words.txt" &&
        ! cmp -s copy "second/two words.txt" &&
        as "$active" -C first push -q origin --delete "$branch" &&
        ! all_branches active/foo | grep "$branch"
}

push_many_bytes() {
    branch="suite-$$-$scheme-large"
    as "$active" clone -q "$url/active/foo.git" large &&
        git -C large checkout -q -b "$branch" &&
        head -c 5000000 /dev/urandom > large/random &&
        git -C large add random &&
        git -C large commit -q -m "Add five million bytes" &&
        as "$active" -C large push -q origin "$branch" &&
        as "$active" clone -q -b "$branch" "$url/active/foo.git" large-again &&
        cmp large/random large-again/random &&
        as "$active" -C large push -q origin --delete "$branch"
}

branches_and_tags_are_there() {
    as "$active" clone -q "$url/active/foo.git" whole &&
        git -C whole rev-parse -q --verify refs/tags/1.0 &&
        git -C whole rev-parse -q --verify refs/remotes/origin/develop &&
        test "$(git -C whole symbolic-ref --short HEAD)" = master &&
        git -C whole fsck
}

spectator_cannot_push() {
    before=$(all_branches active/foo)
    as "$spectator" clone -q "$url/active/foo.git" looking &&
        git -C looking commit -q --allow-empty -m "Try" &&
        refused 403 as "$spectator" -C looking push origin master:forbidden &&
        test "$(all_branches active/foo)" = "$before"
}

readers_cannot_push() {
    as "$active" clone -q "$url/$1.git" "reading-$2" &&
        git -C "reading-$2" commit -q --allow-empty -m "Try" &&
        refused 403 as "$active" -C "reading-$2" push origin master:forbidden
}

suite() {
    scheme=$1
    url=${2%/}
    mkdir "$work/$scheme" && cd "$work/$scheme" || exit 1
    test_that "$scheme: clone, commit, push, clone again" clone_commit_push_clone
    test_that "$scheme: push and clone a large file" push_many_bytes
    test_that "$scheme: a clone has all branches and tags" branches_and_tags_are_there
    test_that "$scheme: all users read arvados" as "$spectator" ls-remote -q --exit-code "$url/arvados.git"
    test_that "$scheme: a repository is also found as the folder around .git" as "$active" ls-remote "$url/active/foo/.git"
    test_that "$scheme: who may only read a repository cannot push to it" spectator_cannot_push
    test_that "$scheme: nor can who reads it as one of all users" readers_cannot_push arvados all
    test_that "$scheme: nor can who reads it by a link" readers_cannot_push admin/foo3 link
    test_that "$scheme: another user's repository is not found" \
        refused "not found|error: 404" as "$spectator" clone "$url/admin/foo3.git" hidden
    test_that "$scheme: a repository without a folder is not found" \
        refused "not found|error: 404" as "$active" clone "$url/active/foo2.git" missing
    test_that "$scheme: without credentials, some are asked for" \
        refused "could not read Username" as "" clone "$url/active/foo.git" nobody
    test_that "$scheme: an unknown token is refused" \
        refused "error: (401|403|500)|Authentication failed" as "$unknown" clone "$url/active/foo.git" unknown
    test_that "$scheme: what was refused left nothing" \
        test ! -e hidden -a ! -e missing -a ! -e nobody -a ! -e unknown
    cd "$work" || exit 1
}

if [ -n "${ARVADOS_TEST_GIT_URL:-}" ]; then
    suite http "$ARVADOS_TEST_GIT_URL"
else
    skip "git over HTTP" "ARVADOS_TEST_GIT_URL is not set"
fi

if [ -z "${ARVADOS_TEST_GIT_SSL_URL:-}" ]; then
    skip "git over TLS" "ARVADOS_TEST_GIT_SSL_URL is not set"
elif [ -z "$GIT_SSL_CAINFO" ]; then
    skip "git over TLS" "ARVADOS_TEST_CA_CERT is not set"
else
    suite https "$ARVADOS_TEST_GIT_SSL_URL"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
