# SPDX-License-Identifier: Apache-2.0
"""The upload's speed, side by side with smpclient: `python -m benchmarks.upload`."""
