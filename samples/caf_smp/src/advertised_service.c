/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts the SMP service's UUID into the advertising data, which none of the SDK's providers does:
 * with it a host finds the device by what it can do. The name is in the scan response.
 */
#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/uuid.h>

#include <bluetooth/adv_prov.h>

static int get_data(struct bt_data *ad, const struct bt_le_adv_prov_adv_state *state,
		    struct bt_le_adv_prov_feedback *fb)
{
	static const uint8_t smp_service[] = {
		BT_UUID_128_ENCODE(0x8d53dc1d, 0x1db7, 0x4cd3, 0x868b, 0x8a527460aa84),
	};

	ARG_UNUSED(state);
	ARG_UNUSED(fb);

	ad->type = BT_DATA_UUID128_ALL;
	ad->data_len = sizeof(smp_service);
	ad->data = smp_service;

	return 0;
}

BT_LE_ADV_PROV_AD_PROVIDER_REGISTER(smp_service, get_data);
