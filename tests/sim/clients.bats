#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs that ask EC2's metadata service on real instances ask ours: botocore, cloud-init, and
# AWS's client for JavaScript, which comes from the npm registry. Each is skipped where it is not
# installed. By hand: make check-long.

load ../lib/helpers

setup() {
	need_service
	# Debian's modules belong to Debian's Python.
	PATH=/usr/bin:$PATH
	start_service --set user-data=hello
}

teardown() {
	stop_service
}

# need_module NAME: a module of Python.
need_module() {
	command -v python3 >/dev/null || skip "python3 is not installed"
	python3 -c "import $1" 2>/dev/null || skip "python3 has no module $1"
}

@test "botocore learns the region and finds no role" {
	need_module botocore
	run env -u AWS_EC2_METADATA_DISABLED python3 - "$SERVICE_URL/" <<-'END'
		import sys
		from botocore.utils import InstanceMetadataFetcher, InstanceMetadataRegionFetcher
		settings = dict(base_url=sys.argv[1], timeout=10, num_attempts=1)
		print(InstanceMetadataRegionFetcher(**settings).retrieve_region())
		print(InstanceMetadataFetcher(**settings).retrieve_iam_role_credentials())
	END
	echo "$output"
	[ "$output" = $'eu-central-1\n{}' ]
}

@test "cloud-init's crawler has the whole tree, by a dated version" {
	need_module cloudinit.sources.DataSourceEc2
	run python3 - "$SERVICE_URL" "$BATS_TEST_TMPDIR" <<-'END'
		import sys
		from cloudinit import helpers
		import cloudinit.sources.DataSourceEc2 as ec2
		class Distro:
		    def __getattr__(self, name):
		        return lambda *args, **named: None
		paths = helpers.Paths({"cloud_dir": sys.argv[2], "run_dir": sys.argv[2] + "/run"})
		settings = {"metadata_urls": [sys.argv[1]], "max_wait": 10, "timeout": 5, "strict_id": False}
		source = ec2.DataSourceEc2({"datasource": {"Ec2": settings}}, Distro(), paths)
		ec2.identify_platform = lambda: ec2.CloudNames.AWS
		assert source.wait_for_metadata_service()
		print(source.get_metadata_api_version())
		tree = source.crawl_metadata()
		print(tree["meta-data"]["instance-id"], *tree["meta-data"]["public-keys"])
		print(tree["user-data"].decode(), tree["dynamic"]["instance-identity"]["document"]["region"])
	END
	echo "$output"
	[ "$(tail -n 2 <<<"$output")" = $'i-0123456789abcdef0 my-key-pair\nhello eu-central-1' ]
	[[ "$(tail -n 3 <<<"$output" | head -n 1)" == 20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] ]]
}

@test "AWS's client for JavaScript asks with two slashes, and is answered" {
	command -v npm >/dev/null || skip "npm is not installed"
	cd "$BATS_TEST_TMPDIR"
	npm install --silent --no-audit --no-fund @aws-sdk/ec2-metadata-service >npm.log 2>&1 ||
		skip "the npm registry cannot be reached"
	cat >ask.mjs <<-'END'
		import { MetadataService } from "@aws-sdk/ec2-metadata-service";
		const service = new MetadataService({ endpoint: process.argv[2], retries: 0 });
		for (const path of ["/latest/meta-data/instance-id", "/latest/user-data"])
			console.log(await service.request(path, {}));
	END
	run node ask.mjs "$SERVICE_URL"
	echo "$output"
	[ "$output" = $'i-0123456789abcdef0\nhello' ]
}
