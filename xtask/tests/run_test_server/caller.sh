#!/bin/sh
# What callers of run_test_server.py do, in its own words: ARVADOS is a checkout, and WORK a folder to
# work in.
set -eu

run() {
    python3 -B "$ARVADOS/sdk/python/tests/run_test_server.py" "$@"
}

# `!` would not end the script.
is_gone() {
    if test -e "$1"; then
        exit 1
    fi
}

# Whatever its file says, a pid is that of a process, and without a line end.
runs() {
    test "$(wc -l <"$1")" -eq 0
    kill -0 "$(cat "$1")"
}

port() {
    test "$(wc -l <"$ARVADOS/tmp/$1.port")" -eq 0
    cat "$ARVADOS/tmp/$1.port"
}

get() {
    curl --silent --fail --noproxy '*' --cacert "$ARVADOS/services/api/tmp/self-signed.pem" \
        --header "Authorization: OAuth2 $ARVADOS_API_TOKEN" "$@"
}

start_all() {
    exports=$(run start --auth admin)
    test "$(printf '%s\n' "$exports" | wc -l)" -eq 3
    eval "$exports"
    runs "$ARVADOS/services/api/tmp/pids/test-server.pid"
    # Until others are started, it has the keep services of the fixtures.
    get "https://$ARVADOS_API_HOST/arvados/v1/keep_services" | grep -q keep.zzzzz.arvadosapi.com
    # None of them prints anything.
    test -z "$(run start_keep)"
    test -z "$(run start_keep_proxy)"
    test -z "$(run start_arv-git-httpd)"
    test -z "$(run start_nginx)"
    for service in keep0 keep1 keepproxy arv-git-httpd nginx; do
        runs "$ARVADOS/tmp/$service.pid"
    done
    test -d "$(cat "$ARVADOS/tmp/keep0.volume")" && test -d "$(cat "$ARVADOS/tmp/keep1.volume")"
    test -s "$ARVADOS/tmp/nginx.conf"
    is_gone "$ARVADOS/tmp/keep.blob_signing_key"
}

work() {
    get "https://$ARVADOS_API_HOST/arvados/v1/keep_services" >"$WORK/services"
    test "$(grep -o '"service_type":"disk"' "$WORK/services" | wc -l)" -eq 2
    test "$(grep -o '"service_type":"proxy"' "$WORK/services" | wc -l)" -eq 1
    grep -q '"service_port":'"$(port keepproxy)" "$WORK/services"
    # Keepstores have no key unless that is asked for, so they sign nothing.
    hash=acbd18db4cc2f85cedef654fccc4a4d8
    printf foo >"$WORK/block"
    stored=$(get --upload-file "$WORK/block" "http://localhost:$(port keepproxy)/$hash")
    test "$stored" = "$hash+3"
    test "$(get "https://localhost:$(port keepproxy-ssl)/$hash+3")" = foo
    test -f "$(cat "$ARVADOS/tmp/keep0.volume")/acb/$hash"
    # The repositories are those of the checkout, and pushes end up there.
    rm -rf "$WORK/clone"
    export GIT_SSL_CAINFO="$ARVADOS/services/api/tmp/self-signed.pem"
    for port in "http $(port arv-git-httpd)" "https $(port arv-git-httpd-ssl)"; do
        git clone --quiet \
            "${port% *}://any:$ARVADOS_API_TOKEN@localhost:${port#* }/active/foo.git" "$WORK/clone"
        test "$(cat "$WORK/clone/from")" = checkout
        git -C "$WORK/clone" push --quiet origin HEAD:refs/heads/pushed
        rm -rf "$WORK/clone"
    done
    git --git-dir "$ARVADOS/services/api/tmp/git/test/zzzzz-s0uqq-382brsig8rp3666/.git" \
        rev-parse --quiet --verify refs/heads/pushed >"$WORK/pushed"
}

stop_all() {
    volume=$(cat "$ARVADOS/tmp/keep0.volume")
    api=$(cat "$ARVADOS/services/api/tmp/pids/test-server.pid")
    run stop_nginx
    run stop_arv-git-httpd
    run stop_keep_proxy
    run stop_keep
    is_gone "$volume"
    for file in keep0.pid keep0.volume keepproxy.pid arv-git-httpd.pid nginx.pid; do
        is_gone "$ARVADOS/tmp/$file"
    done
    # Of a process that nobody has waited for yet, there is no program any more.
    readlink "/proc/$api/exe"
    run stop
    if readlink "/proc/$api/exe"; then
        exit 1
    fi
}

kill_all() {
    for service in keep0 keepproxy arv-git-httpd nginx; do
        kill -9 "$(cat "$ARVADOS/tmp/$service.pid")"
    done
}

start_all
work
# Started again by the same words as before.
kill_all
run start_keep
run start_keep_proxy
run start_arv-git-httpd
run start_nginx
work
kill_all
stop_all

start_all
work
stop_all
